"""The paths of the checkout and of the user's cache."""

import os
from pathlib import Path

from bank_common.runtime.errors import PipelineError


def repository_root() -> Path:
    """The checkout: the nearest folder above this file or the working directory that holds infra/platform.toml.

    Raises:
        PipelineError: there is none.
    """
    for start in (Path.cwd(), Path(__file__).resolve()):
        for folder in (start, *start.parents):
            if (folder / "infra" / "platform.toml").is_file():
                return folder
    raise PipelineError("This is not a checkout of the pipeline.", advice="Run `bank` inside the repository.")


def cache_directory() -> Path:
    """Downloads and builds, shared by checkouts: BANK_CACHE_DIR, else a folder in the user's cache directory."""
    chosen = os.environ.get("BANK_CACHE_DIR")
    if chosen:
        return Path(chosen).expanduser().resolve()
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "banking-data-pipeline"
