"""The receiver's settings: `EVENT_RECEIVER_…`, see `.env.example`."""

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator
from pydantic_settings import NoDecode, SettingsConfigDict

from bank_common import names
from bank_common.runtime.settings import TARGET_LAG_SECONDS, HttpSettings, ProgramSettings, TargetLag
from event_receiver.model.wakeup import Pacing
from event_receiver.worker import Pace


class AirflowSettings(BaseModel):
    """Airflow's API and the login of a user that may trigger the load and nothing else."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    url: str = f"http://127.0.0.1:{names.PORTS['airflow']}"
    user: str
    password: SecretStr
    timeout_seconds: float = Field(default=10.0, gt=0, le=60)


class ReceiverSettings(ProgramSettings):
    """The settings of the receiver."""

    model_config = SettingsConfigDict(env_prefix="EVENT_RECEIVER_")

    tokens: Annotated[tuple[SecretStr, ...], NoDecode] = Field(
        min_length=1, max_length=2, description="Bearer tokens that are accepted: one, or two while one is replaced."
    )
    airflow: AirflowSettings
    http: HttpSettings = HttpSettings(port=names.PORTS["event_receiver"])

    bucket: str = names.BUCKET
    dag_id: str = names.LOAD_DAG
    build_dag_id: str = names.BUILD_DAG
    max_body_bytes: int = Field(default=65_536, ge=1024, description="Larger requests are rejected with 413.")
    target_lag_seconds: TargetLag = TARGET_LAG_SECONDS
    poll_seconds: float = Field(default=0.5, gt=0, le=60, description="Between looks at a queued run.")
    longest_retry_seconds: float = Field(default=30.0, gt=0, description="Between retries while Airflow is away.")

    @field_validator("tokens", mode="before")
    @classmethod
    def _split(cls, value: Any) -> Any:
        return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value

    @field_validator("tokens")
    @classmethod
    def _hard_to_guess(cls, value: tuple[SecretStr, ...]) -> tuple[SecretStr, ...]:
        if any(len(token.get_secret_value()) < 16 for token in value):
            raise ValueError("a token has at least 16 characters")
        return value

    def pacing(self) -> Pacing:
        """The pacing of the load."""
        return Pacing(target_lag_seconds=self.target_lag_seconds)

    def pace(self) -> Pace:
        """The pace of the worker's calls."""
        return Pace(
            poll_seconds=self.poll_seconds,
            first_retry_seconds=min(0.5, self.longest_retry_seconds),
            longest_retry_seconds=self.longest_retry_seconds,
        )
