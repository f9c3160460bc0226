"""The generator's settings: `GENERATOR_…`, see `.env.example`. Options of the command line come before them."""

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from bank_common import names
from bank_common.runtime.settings import HttpSettings, PostgresSettings, ProgramSettings


class GeneratorSettings(ProgramSettings):
    """The settings of the generator."""

    model_config = SettingsConfigDict(env_prefix="GENERATOR_")

    postgres: PostgresSettings
    http: HttpSettings = HttpSettings(port=names.PORTS["generator"])

    seed: int | None = Field(default=None, ge=0, description="Same seed, same empty database: same rows.")
    customers: int = Field(default=20, ge=0, description="Customers to open first (a loop: to have at least).")
    accounts_per_customer: int = Field(default=3, ge=1, le=100, description="Accounts of one customer, at most.")
    transactions: int | None = Field(
        default=None, ge=0, description="Transactions after that. Default: 1000 with --once, no end in a loop."
    )
    rate: float | None = Field(
        default=None, gt=0, description="Transactions a second. Default: no limit with --once, 5 in a loop."
    )
    duration_seconds: float | None = Field(default=None, gt=0, description="Stop after so long.")
    give_up_seconds: float = Field(
        default=30.0, ge=0, description="How long to wait for Postgres at the start, and with --once also later."
    )
