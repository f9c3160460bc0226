"""The files that are rendered from platform.toml: they are up to date, and hold no secret."""

import json
import re
from pathlib import Path

import pytest

from bankctl.model import connector_config, names_module, platform_file

ROOT = Path(__file__).resolve().parents[5]
PLATFORM = platform_file.load(ROOT / "infra" / "platform.toml")


def test_the_names_module_follows_the_file() -> None:
    text = (ROOT / "infra" / "platform.toml").read_text().replace('topic_prefix = "bank"', 'topic_prefix = "other"')
    changed = PLATFORM.model_copy(update={"capture": PLATFORM.capture.model_copy(update={"topic_prefix": "other"})})
    rendered = names_module.render(changed)
    assert 'topic_prefix = "other"' in text
    assert 'TOPIC_PREFIX: Final = "other"' in rendered
    assert 'Table("customers", "public.customers", "other.public.customers", 3, "CUSTOMERS")' in rendered
    compile(rendered, "names.py", "exec")


def test_the_connector_takes_secrets_and_addresses_from_its_worker() -> None:
    config = connector_config.config(PLATFORM)
    assert config["database.password"] == "${env:BANK_CONNECT_POSTGRES_PASSWORD}"
    referred = {value for value in config.values() if value.startswith("${")}
    assert referred == {f"${{env:{name}}}" for name in connector_config.WORKER_VARIABLES}
    assert not [value for value in config.values() if "127.0.0.1" in value or "localhost" in value]


def test_what_the_guarantees_rest_on_is_set() -> None:
    config = connector_config.config(PLATFORM)
    assert config["exactly.once.support"] == "required"
    assert config["decimal.handling.mode"] == "string"
    assert "numeric" in config["datatype.propagate.source.type"]
    assert config["transforms.envelope.placeholder"] == config["unavailable.value.placeholder"]
    assert config["message.prefix.include.list"]
    assert config["provide.transaction.metadata"] == "true"
    assert config["skipped.operations"] == "none"
    assert config["offset.mismatch.strategy"] == "trust_offset"
    assert config["publication.autocreate.mode"] == "disabled"
    assert config["table.include.list"].split(",") == ["public.customers", "public.accounts", "public.transactions"]


def test_a_column_that_stays_at_the_source_is_named_to_the_connector() -> None:
    odd = PLATFORM.tables[0].model_copy(update={"excluded": ("first-name", "a.b")})
    config = connector_config.config(PLATFORM.model_copy(update={"tables": (odd, *PLATFORM.tables[1:])}))
    listed = config["column.exclude.list"].split(",")
    assert [
        re.fullmatch(listed[0], name) is not None for name in ("public.customers.first-name", "public.customers.x")
    ] == [True, False]
    assert re.fullmatch(listed[1], "public.customers.a_b") is None
    assert connector_config.excluded_columns(config) == {"public.customers.first-name", "public.customers.a.b"}
    assert connector_config.excluded_columns(connector_config.config(PLATFORM)) == frozenset()


def test_the_committed_connector_is_json_of_strings() -> None:
    committed = json.loads((ROOT / "infra" / "kafka" / "connector.json").read_text())
    assert committed == connector_config.config(PLATFORM)
    assert all(isinstance(value, str) for value in committed.values())


def test_an_unknown_entry_is_refused_by_name(tmp_path: Path) -> None:
    path = tmp_path / "platform.toml"
    path.write_text((ROOT / "infra" / "platform.toml").read_text().replace("[landing]", '[landing]\nbuckett = "x"'))
    with pytest.raises(platform_file.PlatformError, match=r"landing\.buckett"):
        platform_file.load(path)
