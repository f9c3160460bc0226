"""Settings: the types that programs share, and the base class that reads them.

A program has one subclass of `ProgramSettings` with its own prefix; the types here are nested in it
(`CDC_CONSUMER_KAFKA__BOOTSTRAP_SERVERS`). Any value may come from a file instead: `<VARIABLE>_FILE` names it.
Nothing here is read at import, and a library never calls `load`.
"""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, ClassVar, Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, EnvSettingsSource, PydanticBaseSettingsSource, SettingsConfigDict

from bank_common.runtime.errors import SettingsError

NESTED = "__"
FILE_SUFFIX = "_FILE"

TARGET_LAG_SECONDS: Final = 10.0
TargetLag = Annotated[
    float,
    Field(
        ge=0,
        le=86_400,
        allow_inf_nan=False,
        description="Target lag: how old a change may be when the marts show it. 0: as soon as possible.",
    ),
]
"""The one setting that consumer, receiver, load and build share, in seconds; `bank up` hands it to each."""


class _Section(BaseModel):
    # Unknown variables are found by ProgramSettings.load, which also knows <VARIABLE>_FILE.
    model_config = ConfigDict(extra="ignore", frozen=True)


class PostgresSettings(_Section):
    """How to reach one Postgres database."""

    host: str = "127.0.0.1"
    port: int = Field(ge=1, le=65535)
    database: str
    user: str
    password: SecretStr


class KafkaSettings(_Section):
    """How to reach the brokers: `host:port[,host:port]`."""

    bootstrap_servers: str


class RegistrySettings(_Section):
    """How to reach the schema registry's Confluent-compatible API, e.g. `http://127.0.0.1:18081/apis/ccompat/v7`."""

    url: str


class ObjectStoreSettings(_Section):
    """How to reach the object store that holds the landing chain."""

    endpoint: str
    access_key: SecretStr
    secret_key: SecretStr
    region: str = "us-east-1"


class HttpSettings(_Section):
    """Where a program answers /healthz, /readyz and /metrics. Loopback unless a container network needs otherwise."""

    host: str = "127.0.0.1"
    port: int = Field(ge=0, le=65535)


class LoggingSettings(_Section):
    """`json` is one JSON object a line; `console` is for people."""

    level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    format: Literal["json", "console"] = "json"


class TelemetrySettings(_Section):
    """Where traces go. Without an endpoint nothing is recorded and nothing is sent."""

    otlp_endpoint: str | None = None

    @field_validator("otlp_endpoint", mode="before")
    @classmethod
    def _none_when_empty(cls, value: object) -> object:
        """A variable that a compose file hands on is there even when nobody set it."""
        return value or None


class SnowflakeSettings(_Section):
    """One way to the warehouse for loader, dbt and `bank`; only the local stand-in sets host, port and protocol."""

    account: str
    user: str
    private_key_file: Path
    role: str
    warehouse: str
    database: str = "BANK"
    host: str | None = None
    port: int | None = None
    protocol: Literal["http", "https"] = "https"


class _FileSource(EnvSettingsSource):
    """`<VARIABLE>_FILE=/path` stands for `<VARIABLE>=<the file's text, stripped>`."""

    def __init__(self, settings_cls: type[BaseSettings]) -> None:
        super().__init__(settings_cls)
        suffix = FILE_SUFFIX.lower()
        texts: dict[str, str | None] = {}
        for name, path in self.env_vars.items():
            if not name.startswith(self.env_prefix.lower()) or not name.endswith(suffix) or path is None:
                continue
            if name.removesuffix(suffix) in self.env_vars or self._is_own_field(settings_cls, name):
                continue
            try:
                texts[name.removesuffix(suffix)] = Path(path).read_text(encoding="utf-8").strip()
            except OSError as error:
                raise SettingsError(
                    f"{name.upper()} names a file that can't be read: {error.strerror or error}.",
                    advice="Create the file or correct the variable.",
                ) from None
        self.env_vars = texts

    def _is_own_field(self, settings_cls: type[BaseSettings], name: str) -> bool:
        """A field that ends in `_file` itself (a private key's path) is a path, not an indirection."""
        return name.upper() in known_variables(settings_cls)


class ProgramSettings(BaseSettings):
    """Base of each program's one settings class: `load()` once, in the composition root."""

    model_config = SettingsConfigDict(
        extra="ignore", frozen=True, env_nested_delimiter=NESTED, hide_input_in_errors=True, case_sensitive=False
    )
    foreign_variables: ClassVar[frozenset[str]] = frozenset()
    """Variables with the program's prefix that belong to somebody else and are not an error."""

    logging: LoggingSettings = LoggingSettings()
    telemetry: TelemetrySettings = TelemetrySettings()

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - the overridden signature
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Arguments, then the environment, then files named by the environment."""
        return init_settings, env_settings, _FileSource(settings_cls)

    @classmethod
    def load(cls, **overrides: Any) -> Self:
        """Read and check the environment.

        Raises:
            SettingsError: one readable report that names every missing, unknown or bad variable.
        """
        unknown = cls._unknown_variables(os.environ)
        problems = [f"{name}: unknown variable" for name in unknown]
        try:
            settings = cls(**overrides)
        except ValidationError as error:
            prefix = cls.model_config.get("env_prefix", "")
            problems += [
                f"{(prefix + NESTED.join(str(part) for part in item['loc'])).upper()}: {item['msg']}"
                for item in error.errors(include_input=False, include_url=False)
            ]
        else:
            if not problems:
                return settings
        raise SettingsError(
            "The settings are not valid:\n  " + "\n  ".join(problems) + "\n",
            advice="Correct these variables; .env.example lists every one with its default.",
        )

    def logging_at_debug(self, debug: bool) -> Self:
        """These settings; with `debug` the program logs at DEBUG."""
        if not debug:
            return self
        return self.model_copy(update={"logging": self.logging.model_copy(update={"level": "DEBUG"})})

    @classmethod
    def _unknown_variables(cls, environment: Mapping[str, str]) -> list[str]:
        prefix = cls.model_config.get("env_prefix", "").upper()
        if not prefix:
            return []
        known = known_variables(cls) | cls.foreign_variables
        return sorted(
            name
            for name in environment
            if name.upper().startswith(prefix)
            and name.upper() not in known
            and name.upper().removesuffix(FILE_SUFFIX) not in known
        )


def known_variables(settings_cls: type[BaseSettings]) -> frozenset[str]:
    """The upper-case names of every variable that a settings class reads, nested ones included."""
    prefix = settings_cls.model_config.get("env_prefix", "").upper()
    return frozenset(_variables(settings_cls, prefix))


def _variables(model: type[BaseModel], prefix: str) -> list[str]:
    names: list[str] = []
    for name, field in model.model_fields.items():
        variable = prefix + name.upper()
        names.append(variable)
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            names += _variables(field.annotation, variable + NESTED)
    return names
