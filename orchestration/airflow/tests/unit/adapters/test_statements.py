"""SQL that is built: names of a closed set, everything stated that COPY would otherwise assume."""

import re

import pytest
from loading_testing.memory import landed, ledger_row

from bank_common.names import RAW_TABLE_BY_TOPIC, TRANSACTION_TOPIC
from bank_dags.adapters.snowflake import raw, statements


def test_copy_states_every_option_that_correctness_rests_on() -> None:
    text = statements.copy_into("bank.public.accounts", ["0000-00000000000000000005.parquet"], "load-1/t")
    assert text == (
        "COPY INTO RAW.ACCOUNTS FROM @RAW.LANDING/load-1/t/ FILES = ('0000-00000000000000000005.parquet') "
        "FILE_FORMAT = (TYPE = PARQUET USE_LOGICAL_TYPE = TRUE) MATCH_BY_COLUMN_NAME = CASE_INSENSITIVE "
        "ON_ERROR = ABORT_STATEMENT FORCE = TRUE"
    )


def test_a_topic_outside_the_closed_set_has_no_statement() -> None:
    with pytest.raises(KeyError):
        statements.copy_into("bank.public.x; DROP TABLE RAW.ACCOUNTS", ["a"], "p")
    assert {statements.copy_into(topic, ["a"], "p").split()[2] for topic in RAW_TABLE_BY_TOPIC} == {
        f"RAW.{table}" for table in RAW_TABLE_BY_TOPIC.values()
    }


@pytest.mark.parametrize("count", [0, 501])
def test_a_statement_never_names_more_files_than_snowflake_takes(count: int) -> None:
    with pytest.raises(ValueError, match="files"):
        statements.copy_into("bank.public.accounts", ["f"] * count, "p")


def test_values_are_bound() -> None:
    text, values = statements.counted_ends([landed(TRANSACTION_TOPIC, 0, 4, 8), landed(TRANSACTION_TOPIC, 0, 8, 9)])
    assert text.count("%s") == len(values)
    assert values[:3] == [0, 4, 9]
    assert '%"public.accounts"%' in values
    record = statements.sql("record_segments")
    columns = re.findall(r"\w+", record.split("(", 2)[1].split(")")[0])
    paths = re.findall(r"VALUE:(\w+)::", record)
    assert len(columns) == len(paths) + 2, "every column is one of the document's, the load's id or the time"
    document = raw._document(ledger_row(landed(TRANSACTION_TOPIC, 0, 4, 8)))
    assert set(paths) == set(document)
