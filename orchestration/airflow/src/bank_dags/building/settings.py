"""Settings of a build: the part of `BANK_DAGS_…` that the one door for builds reads, in CD as well."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from bank_common import names
from bank_common.runtime.settings import ProgramSettings, SnowflakeSettings
from bank_dags.adapters.snowflake.query_tag import QueryTag

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
    build_timeout_seconds: int = Field(default=900, ge=1, description="How long one dbt build may take.")

    @property
    def timeouts(self) -> tuple[int, int]:
        """The timeouts of a session, in seconds: of a lock, and of a statement."""
        return self.lock_timeout_seconds, self.statement_timeout_seconds

    @classmethod
    def _unknown_variables(cls, environment: Mapping[str, str]) -> list[str]:
        if cls is not BuildSettings:
            return super()._unknown_variables(environment)
        from bank_dags.settings import BankDagsSettings

        # The load's variables have the same prefix and are no mistake.
        return BankDagsSettings._unknown_variables(environment)


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
    from bank_dags.settings import snowflake_settings

    return snowflake_settings({**os.environ, **dbt_variables(settings)})
