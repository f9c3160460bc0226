"""Every failure says what was seen and what to do."""

from typing import get_args

import pytest

from bank_common.landing.segments import TopicPartition
from bank_common.runtime.errors import Halt, Retry
from bank_dags.loading import failures as f

CHAIN = TopicPartition("bank.public.accounts", 1)
KEY = "bank.public.accounts/0001/00000000000000/00000000000000000005.parquet"
ALL = {
    f.BrokenChain(CHAIN, 5, 8): (Halt, ["bank.public.accounts/1", "gap", "5", "8", "bank chain", "1 5 --end 8"]),
    f.BrokenChain(CHAIN, 5, 4): (Halt, ["bank.public.accounts/1", "overlap", "5", "4", "bank chain"]),
    f.LedgerBeyondLanding(CHAIN, KEY): (Halt, [KEY, "bank chain", "bank down --wipe", "BANK_DAGS_BUCKET"]),
    f.ForeignObject("x/y", "no key"): (Halt, ["x/y", "no key", "bank chain"]),
    f.ContentDiffers(KEY, "aa", "bb"): (Halt, [KEY, "aa", "bb", "bank_dags.skip"]),
    f.RowsDiffer(KEY, 3, 2): (Halt, [KEY, "3", "2", "rolled back"]),
    f.CopyRefused("bank.public.accounts", "100038"): (Halt, ["bank.public.accounts", "100038", "bank raw-ddl render"]),
    f.FenceMissing(0): (Halt, ["LOAD_FENCE", "0", "bank provision"]),
    f.TailsBehind(7, 4): (Halt, ["LOAD_TAILS", "4", "7", "bank provision"]),
    f.NotNext(CHAIN, 9, 5): (Halt, ["5", "9", "bank chain"]),
    f.NotNext(CHAIN, None, 5): (Halt, ["5", "bank chain"]),
    f.Overtaken(5): (Retry, ["5", "next run"]),
    f.StoreFailed("503"): (Retry, ["503", "bank logs minio"]),
    f.WarehouseFailed("committing", "1234 gone"): (Retry, ["committing", "1234 gone", "bank logs snowflake"]),
}


@pytest.mark.parametrize("failure", ALL, ids=lambda failure: type(failure).__name__)
def test_the_operator_reads_what_was_seen_and_what_to_do(failure: f.LoadFailure) -> None:
    kind, words = ALL[failure]
    text = str(f.LoadError(failure))
    assert isinstance(f.error_policy(failure), kind)
    assert [word for word in words if word not in text] == []


def test_the_table_above_has_every_failure() -> None:
    assert {type(failure) for failure in ALL} == set(get_args(f.LoadFailure))
