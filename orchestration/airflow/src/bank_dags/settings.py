"""Settings of load and build: `BANK_DAGS_…`, and `SNOWFLAKE_…` as every client of the warehouse has them."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from pydantic import Field, ValidationError
from pydantic_settings import SettingsConfigDict

from bank_common import names
from bank_common.runtime.errors import SettingsError
from bank_common.runtime.settings import (
    TARGET_LAG_SECONDS,
    ObjectStoreSettings,
    ProgramSettings,
    SnowflakeSettings,
    TargetLag,
)
from bank_dags.dag_times import BUILD_TIMEOUT, LOAD_INTERVAL, LOAD_TIMEOUT
from bank_dags.query_tag import QueryTag

SNOWFLAKE_PREFIX: Final = "SNOWFLAKE_"
STATEMENT_TIMEOUT_SECONDS: Final = 800
"""Above the lock's timeout, whose error names the table; below the tasks', which name no statement."""


class BuildSettings(ProgramSettings):
    """The settings of dbt. The program's class is BankDagsSettings, which adds the load's."""

    model_config = SettingsConfigDict(env_prefix="BANK_DAGS_")

    lock_timeout_seconds: int = Field(
        default=600, ge=1, description="How long a load waits for another one that holds the fence."
    )
    statement_timeout_seconds: int = Field(
        default=STATEMENT_TIMEOUT_SECONDS,
        ge=1,
        le=604_800,
        description="How long one statement of a load or a build may run; above the lock's timeout, below the tasks'.",
    )
    state_dir: Path = Field(description="Where dbt's target, its log and the build's lock lie; outside the repository.")
    dbt_executable: Path = Field(description="dbt in its own environment; its interpreter lies beside it.")
    dbt_project_dir: Path
    dbt_user: str | None = Field(default=None, description="The warehouse user that builds; default: the loader's.")
    dbt_role: str | None = None
    dbt_private_key_file: Path | None = None
    dbt_threads: int = Field(default=4, ge=1, le=64)
    build_timeout_seconds: int = Field(
        default=BUILD_TIMEOUT.default, ge=BUILD_TIMEOUT.least, description="How long one dbt build may take."
    )

    @property
    def timeouts(self) -> tuple[int, int]:
        """The timeouts of a session, in seconds: of a lock, and of a statement."""
        return self.lock_timeout_seconds, self.statement_timeout_seconds

    @classmethod
    def _unknown_variables(cls, environment: Mapping[str, str]) -> list[str]:
        if cls is not BuildSettings:
            return super()._unknown_variables(environment)
        # The load's variables have the same prefix and are no mistake.
        return BankDagsSettings._unknown_variables(environment)


class BankDagsSettings(BuildSettings):
    """The settings of load and build; the build's part is inherited. The tables come from infra/platform.toml."""

    store: ObjectStoreSettings
    bucket: str = names.BUCKET

    load_interval_seconds: int = Field(
        default=LOAD_INTERVAL.default,
        ge=LOAD_INTERVAL.least,
        description="How often the sweep looks for landed segments that no wake-up announced.",
    )
    target_lag_seconds: TargetLag = TARGET_LAG_SECONDS
    load_run_seconds: float = Field(
        default=3.0, ge=0, le=600, description="After this a load run begins no further batch and starts the next run."
    )
    max_segments: int = Field(
        default=200, ge=1, le=10_000, description="Segments of one load transaction, at most: about a second's work."
    )
    max_bytes: int = Field(
        default=64 * 1024**2, ge=1, description="Bytes of one load transaction, at most: what lies on disk meanwhile."
    )
    threads: int = Field(default=4, ge=1, le=32, description="Requests to the object store at the same time.")
    load_timeout_seconds: int = Field(
        default=LOAD_TIMEOUT.default,
        ge=LOAD_TIMEOUT.least,
        description="How long the load's task may take; above the lock's timeout.",
    )

    history_hours: int = Field(
        default=48, ge=1, description="How long Airflow keeps finished runs in its tables, and the logs of their tasks."
    )

    @property
    def bounded_run_seconds(self) -> float:
        """Seconds in which a run begins batches. With a target lag of 0 it loads one: its event goes out at once."""
        return self.load_run_seconds if self.target_lag_seconds else 0.0


def snowflake_settings(environment: Mapping[str, str] = os.environ) -> SnowflakeSettings:
    """Read `SNOWFLAKE_…`.

    Raises:
        SettingsError: names each variable that is missing or wrong.
    """
    names_of_fields = SnowflakeSettings.model_fields
    given = {
        name: environment[variable]
        for name in names_of_fields
        if environment.get(variable := SNOWFLAKE_PREFIX + name.upper())
    }
    try:
        return SnowflakeSettings.model_validate(given)
    except ValidationError as error:
        problems = [
            f"{SNOWFLAKE_PREFIX}{str(item['loc'][0]).upper()}: {item['msg']}"
            for item in error.errors(include_input=False, include_url=False)
        ]
        raise SettingsError(
            "The warehouse's settings are not valid:\n  " + "\n  ".join(problems) + "\n",
            advice="Set the variables named above. Runbook: infra/runbooks/deploy-one-service.md.",
        ) from None


def dbt_variables(settings: BuildSettings) -> dict[str, str]:
    """The variables of dbt's environment beside the shared SNOWFLAKE_*: its own user, and the tag of its statements."""
    own = {
        "SNOWFLAKE_USER": settings.dbt_user,
        "SNOWFLAKE_ROLE": settings.dbt_role,
        "SNOWFLAKE_PRIVATE_KEY_FILE": settings.dbt_private_key_file,
    }
    return {
        **{name: str(value) for name, value in own.items() if value is not None},
        # The same for every build: dbt throws its partial parse away when anything in its profile differs (3 s of
        # each build). The build's own session carries run and trace, dbt's invocation id is in run_results.json.
        "DBT_QUERY_TAG": QueryTag(names.BUILD_DAG, "dbt").text(),
        "BANK_STATEMENT_TIMEOUT_SECONDS": str(settings.statement_timeout_seconds),
        # Otherwise each of dbt's logins asks the metadata services of three clouds where it runs.
        "SNOWFLAKE_DISABLE_PLATFORM_DETECTION": "true",
    }


def builder_login(settings: BuildSettings) -> SnowflakeSettings:
    """The login of whoever holds the fence: dbt's own user, who may end the sessions of a dead dbt.

    Raises:
        SettingsError: names each variable that is missing or wrong.
    """
    return snowflake_settings({**os.environ, **dbt_variables(settings)})
