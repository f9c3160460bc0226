"""The consumer's settings: `CDC_CONSUMER_…`, see `.env.example`."""

from typing import Final, Literal

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from bank_common import names
from bank_common.runtime.settings import (
    TARGET_LAG_SECONDS,
    HttpSettings,
    KafkaSettings,
    ObjectStoreSettings,
    ProgramSettings,
    RegistrySettings,
    TargetLag,
)
from cdc_consumer.model.dead_letter_limit import DeadLetterLimits
from cdc_consumer.model.flush_limits import FlushLimits
from cdc_consumer.model.segment_budget import Budget

SHORTEST_GROWN_SECONDS: Final = 2.0
SEGMENTS_PER_SECOND: Final = 4.0
SEGMENTS_PER_SECOND_AT_ONCE: Final = 10.0
"""A budget that is used up may always make a change wait so long, however small the target lag."""


class ConsumerSettings(ProgramSettings):
    """Everything that can be set. Topics are not settings: they come from infra/platform.toml."""

    model_config = SettingsConfigDict(env_prefix="CDC_CONSUMER_")

    kafka: KafkaSettings
    registry: RegistrySettings
    store: ObjectStoreSettings
    http: HttpSettings = HttpSettings(port=names.PORTS["cdc_consumer"])

    bucket: str = names.BUCKET
    group_id: str = names.CONSUMER_GROUP
    group_instance_id: str | None = Field(
        default=None,
        description="A name that no other process of the group has. With it a restarted consumer gets its partitions "
        "back at once; without it the group waits for the old one's session to end.",
    )
    group_protocol: Literal["classic", "consumer"] = Field(
        default="classic",
        description="`consumer` lets the brokers assign partitions (KIP-848); the session timeout is then theirs.",
    )
    session_timeout_seconds: float = Field(default=10, ge=6, le=1800)

    max_rows: int = Field(default=50_000, ge=1, description="Rows of one segment, at most.")
    max_bytes: int = Field(default=128 * 1024**2, ge=1, description="Memory of one partition's buffer, at most.")
    max_total_bytes: int = Field(default=192 * 1024**2, ge=1, description="Memory of all buffers together.")
    flush_seconds: float = Field(default=0.5, gt=0, description="Age at which records that change RAW are stored.")
    idle_flush_seconds: float = Field(
        default=300.0, gt=0, description="Age at which records that change no table (BEGIN, heartbeats) are stored."
    )
    max_segments_per_second: float | None = Field(
        default=None,
        gt=0,
        description="Budget of segments over all partitions: 4, with a target lag of 0 10. Beyond it records wait "
        "longer and segments get larger: up to half the target lag, at least 2 s. Full buffers are stored whatever it "
        "says.",
    )
    target_lag_seconds: TargetLag = TARGET_LAG_SECONDS
    rejected_max_ratio: float = Field(
        default=0.1,
        ge=0,
        le=1,
        description="Share of a partition's latest records that may be undecodable; beyond it the consumer halts.",
    )
    rejected_max_run: int = Field(default=100, ge=0, description="The same, for undecodable records in a row.")
    rejected_window: int = Field(default=1000, ge=1, description="How many of the latest records the share is of.")
    handover_seconds: float = Field(
        default=4.0,
        gt=0,
        le=60,
        description="When partitions move to another member, or the consumer stops: how long storing may take.",
    )
    dead_letters_topic: str = names.DEAD_LETTERS_TOPIC
    dead_letters_timeout_seconds: float = Field(default=5.0, gt=0, le=60)
    max_poll_records: int = Field(default=10_000, ge=1, le=1_000_000)
    poll_seconds: float = Field(default=0.2, gt=0, le=5)
    store_timeout_seconds: float = Field(default=5.0, gt=0, le=60)
    registry_timeout_seconds: float = Field(default=3.0, gt=0, le=60)

    def limits(self) -> FlushLimits:
        """When buffers are flushed."""
        return FlushLimits(
            max_rows=self.max_rows,
            max_bytes=self.max_bytes,
            max_total_bytes=self.max_total_bytes,
            flush_seconds=self.flush_seconds,
            idle_flush_seconds=self.idle_flush_seconds,
            budget=self._budget(),
        )

    def _budget(self) -> Budget:
        usual = SEGMENTS_PER_SECOND if self.target_lag_seconds else SEGMENTS_PER_SECOND_AT_ONCE
        longest = max(SHORTEST_GROWN_SECONDS, self.target_lag_seconds / 2)
        return Budget(self.max_segments_per_second or usual, longest)

    def dead_letter_limits(self) -> DeadLetterLimits:
        """How many undecodable records go to the dead-letter topic before the consumer halts."""
        return DeadLetterLimits(self.rejected_max_ratio, self.rejected_max_run, self.rejected_window)
