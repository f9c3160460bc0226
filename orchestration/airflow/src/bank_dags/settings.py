"""Settings of load and build: `BANK_DAGS_…`, and `SNOWFLAKE_…` as every client of the warehouse has them."""

import os
from collections.abc import Mapping
from typing import Final

from pydantic import Field, ValidationError

from bank_common import names
from bank_common.runtime.errors import SettingsError
from bank_common.runtime.settings import (
    TARGET_LAG_SECONDS,
    ObjectStoreSettings,
    SnowflakeSettings,
    TargetLag,
)
from bank_dags.building.settings import BuildSettings

SNOWFLAKE_PREFIX: Final = "SNOWFLAKE_"


class BankDagsSettings(BuildSettings):
    """The settings of load and build; the build's part is inherited. The tables come from infra/platform.toml."""

    store: ObjectStoreSettings
    bucket: str = names.BUCKET

    load_interval_seconds: int = Field(
        default=60, ge=5, description="How often the sweep looks for landed segments that no wake-up announced."
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
        default=1800, ge=2, description="How long the load's task may take; above the lock's timeout."
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
