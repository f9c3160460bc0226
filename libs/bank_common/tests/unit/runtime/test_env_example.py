from pydantic import Field, SecretStr
from pydantic_settings import SettingsConfigDict

from bank_common.runtime.env_example import render
from bank_common.runtime.settings import KafkaSettings, ProgramSettings


class Example(ProgramSettings):
    model_config = SettingsConfigDict(env_prefix="EXAMPLE_")
    kafka: KafkaSettings
    token: SecretStr = SecretStr("never-shown")
    flush_seconds: float = Field(default=1.5, description="Longest wait before a flush, in seconds.")


def test_every_variable_stands_with_its_default_and_no_secret() -> None:
    lines = render(Example).splitlines()
    assert "EXAMPLE_KAFKA__BOOTSTRAP_SERVERS=" in lines
    assert lines[lines.index("#EXAMPLE_FLUSH_SECONDS=1.5") - 1] == "# Longest wait before a flush, in seconds."
    assert "#EXAMPLE_LOGGING__LEVEL=INFO" in lines
    assert "never-shown" not in "\n".join(lines)
