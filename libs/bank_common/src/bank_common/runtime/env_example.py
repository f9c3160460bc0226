"""Renders a settings class as the lines of an `.env` file: every variable with its default and what it is."""

from collections.abc import Iterator
from enum import Enum
from typing import Any

from pydantic import BaseModel, SecretStr
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from bank_common.runtime.settings import NESTED, ProgramSettings


def render(settings_cls: type[ProgramSettings]) -> str:
    """Render the section of one program: required variables are bare, the others are comments with their default."""
    prefix = settings_cls.model_config.get("env_prefix", "").upper()
    return "\n".join(_lines(settings_cls, prefix)) + "\n"


def _lines(model: type[BaseModel], prefix: str, defaults: BaseModel | None = None) -> Iterator[str]:
    for name, field in model.model_fields.items():
        variable = prefix + name.upper()
        default = getattr(defaults, name) if defaults is not None else _default(field)
        annotation = field.annotation
        if isinstance(annotation, type) and issubclass(annotation, BaseModel):
            section = default if isinstance(default, BaseModel) else None
            yield from _lines(annotation, variable + NESTED, section)
            continue
        if field.description:
            yield f"# {field.description}"
        required = defaults is None and field.is_required()
        yield f"{variable}=" if required else f"#{variable}={_text(default)}"


def _default(field: FieldInfo) -> Any:
    value = field.get_default(call_default_factory=False)
    return None if value is PydanticUndefined else value


def _text(value: Any) -> str:
    if value is None or isinstance(value, SecretStr):
        return ""
    if isinstance(value, Enum):
        return str(value.value)
    if isinstance(value, (tuple, list, frozenset, set)):
        return ",".join(_text(item) for item in value)  # pyright: ignore[reportUnknownArgumentType, reportUnknownVariableType]
    return str(value).lower() if isinstance(value, bool) else str(value)
