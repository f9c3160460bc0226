"""Settings of the `bank` command itself."""

from pathlib import Path
from typing import Literal

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from bank_common.runtime.settings import NESTED, TARGET_LAG_SECONDS, ProgramSettings, TargetLag

MAX_PORT_OFFSET = 46_000
"""The highest port of infra/platform.toml plus this stays a port."""


class BankctlSettings(ProgramSettings):
    """The state directory, the ports and the pace of the stack; see also BANK_CACHE_DIR."""

    model_config = SettingsConfigDict(env_prefix="BANKCTL_")

    state_dir: Path = Field(default=Path(".local"), description="State, logs and secrets; relative to the repository.")
    port_offset: int = Field(
        default=0, ge=0, le=MAX_PORT_OFFSET, description="Added to every port, so that stacks never meet."
    )
    network: Literal["loopback", "names"] = Field(
        default="loopback",
        description="How components are reached: on 127.0.0.1, or each by its own name inside a container network.",
    )
    flush_seconds: float = Field(
        default=0.5, gt=0, description="What the stack gives the consumer as CDC_CONSUMER_FLUSH_SECONDS."
    )
    idle_flush_seconds: float = Field(
        default=300.0, gt=0, description="The same for records that change no table (heartbeats)."
    )
    target_lag_seconds: TargetLag = TARGET_LAG_SECONDS
    load_interval_seconds: int = Field(default=60, ge=5, description="How often the load sweeps without a wake-up.")

    def text(self, name: str) -> str:
        """What the variable BANKCTL_<name> says, or its default would; empty for None."""
        value: object = self
        for part in name.lower().split(NESTED):
            value = getattr(value, part)
        return "" if value is None else str(value)
