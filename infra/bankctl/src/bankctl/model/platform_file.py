"""`infra/platform.toml`, read and checked. Only renderers read it; programs use the constants rendered from it."""

import tomllib
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from bank_common.runtime.errors import PipelineError

_Partitions = Annotated[int, Field(ge=1)]
_Port = Annotated[int, Field(ge=1, le=65535)]


class PlatformError(PipelineError):
    """platform.toml is not readable as the list of names."""


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Capture(_Section):
    """The source and how it is captured."""

    topic_prefix: str
    database: str
    schema_name: str = Field(alias="schema")
    slot: str
    publication: str
    heartbeat_table: str
    connector: str
    heartbeat_seconds: int = Field(ge=1)


class TableEntry(_Section):
    """The entry of a captured table. `mart` shows its current rows; the published position is written after it."""

    name: str
    partitions: _Partitions
    mart: str
    excluded: tuple[str, ...] = ()
    """Columns that are not captured: their name or type has no place in the warehouse."""


class TopicNames(_Section):
    """The topics that are not a table's."""

    transaction: str
    notifications: str
    message: str
    heartbeat: str
    heartbeat_table: str
    dead_letters: str


class LandingNames(_Section):
    """Names of the landing; the constants of its format stand in `bank_common.landing.segments`."""

    bucket: str
    consumer_group: str


class WarehouseNames(_Section):
    """Names in the warehouse."""

    database: str
    raw_schema: str
    stage: str
    loader_user: str
    loader_role: str
    transformer_user: str
    transformer_role: str
    admin_user: str
    warehouse: str


class AirflowNames(_Section):
    """Names in Airflow."""

    load_dag: str
    build_dag: str
    raw_asset: str


class Platform(_Section):
    """The whole file."""

    capture: Capture
    tables: tuple[TableEntry, ...]
    topics: TopicNames
    landing: LandingNames
    warehouse: WarehouseNames
    airflow: AirflowNames
    ports: dict[str, _Port]
    versions: dict[str, str]


def load(path: Path) -> Platform:
    """Read the file.

    Raises:
        PlatformError: it is not TOML, or an entry is missing, unknown or bad; the message names it.
    """
    try:
        return Platform.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise PlatformError(f"{path} can't be read: {error}.", advice="Restore it from git.") from None
    except ValidationError as error:
        problems = "; ".join(f"{'.'.join(map(str, item['loc']))}: {item['msg']}" for item in error.errors())
        raise PlatformError(f"{path} is not valid: {problems}.", advice="Correct these entries.") from None
