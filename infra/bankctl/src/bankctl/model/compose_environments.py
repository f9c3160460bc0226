"""Renders environments in compose.yaml: the variables below a line `# rendered: <program>`, to the end of their block.

Everything else in the file is written by hand and stays as it is, comments included.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from bank_common.runtime.errors import PipelineError

_MARK: Final = re.compile(r"^(?P<indent> +)# rendered: (?P<program>[\w-]+)$")
_NO_TEXT: Final = re.compile(r"|[\d.]+|true|false|on|off|yes|no|null|~", re.IGNORECASE)
"""What YAML would read as something else than these characters."""


def render(text: str, environments: Mapping[str, Mapping[str, str]]) -> str:
    """The file's text with every marked block as its program's environment says.

    Raises:
        PipelineError: a mark names no program, or a program has no mark.
    """
    lines = text.splitlines()
    marked = {match["program"] for line in lines if (match := _MARK.match(line))}
    if different := sorted(marked ^ environments.keys()):
        raise PipelineError(
            f"compose.yaml's marks `# rendered: …` and the programs differ in {', '.join(different)}.",
            advice="Mark where its variables belong in the `environment` of its service, or remove the mark.",
        )
    return "".join(f"{line}\n" for line in _rendered(lines, environments))


def _rendered(lines: Sequence[str], environments: Mapping[str, Mapping[str, str]]) -> Iterator[str]:
    replaced: str | None = None
    for line in lines:
        if replaced is not None and line.startswith(replaced):
            continue
        replaced = None
        yield line
        if match := _MARK.match(line):
            replaced = match["indent"]
            variables = environments[match["program"]]
            yield from (f"{replaced}{name}: {_scalar(value)}" for name, value in variables.items())


def _scalar(value: str) -> str:
    return json.dumps(value) if _NO_TEXT.fullmatch(value) else value
