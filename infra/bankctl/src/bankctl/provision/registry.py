"""The registry's rule for captured subjects: none.

Whoever reads a record reads it with the schema that it was written with, so a rule protects no reader; it would stop
capture, and the bank's log would pile up behind it. What a change of a table means is decided after the landing.
"""

from typing import Final

import httpx

from bank_common.runtime.errors import PipelineError

COMPATIBILITY: Final = "NONE"
_TIMEOUT_SECONDS: Final = 30.0


class RegistryError(PipelineError):
    """The registry can't be reached or does not keep the rule."""


def ensure_compatibility(url: str) -> None:
    """Set the global compatibility level; `url` is the Confluent-compatible API.

    Raises:
        RegistryError: the registry refused, or answers with another level afterwards.
    """
    try:
        with httpx.Client(base_url=url, timeout=_TIMEOUT_SECONDS, trust_env=False) as client:
            client.put("/config", json={"compatibility": COMPATIBILITY}).raise_for_status()
            answer = client.get("/config").raise_for_status().json()
    except httpx.HTTPError as error:
        raise RegistryError(
            f"The schema registry at {url} did not take the compatibility rule: {error}.",
            advice="See `bank status` and `bank logs registry`.",
        ) from error
    level = answer.get("compatibilityLevel", answer.get("compatibility"))
    if level != COMPATIBILITY:
        raise RegistryError(
            f"The schema registry says its compatibility level is {level} after it was set to {COMPATIBILITY}.",
            advice="With another rule a change of a table can stop capture; see `bank logs registry`.",
        )
