"""Every reason says what was seen and what to do."""

from typing import get_args

import pytest

from bank_common.errors import Halt, Retry
from bank_dags.loading import reasons as r
from bank_dags.loading.segments import Chain

CHAIN = Chain("bank.public.accounts", 1)
KEY = "bank.public.accounts/0001/00000000000000/00000000000000000005.parquet"
ALL = {
    r.BrokenChain(CHAIN, 5, 8): (Halt, ["bank.public.accounts/1", "gap", "5", "8", "bank chain", "1 5 --end 8"]),
    r.BrokenChain(CHAIN, 5, 4): (Halt, ["bank.public.accounts/1", "overlap", "5", "4", "bank chain"]),
    r.LedgerBeyondLanding(CHAIN, KEY): (Halt, [KEY, "bank chain", "bank down --wipe", "BANK_DAGS_BUCKET"]),
    r.ForeignObject("x/y", "no key"): (Halt, ["x/y", "no key", "bank chain"]),
    r.ContentDiffers(KEY, "aa", "bb"): (Halt, [KEY, "aa", "bb", "bank_dags.skip"]),
    r.RowsDiffer(KEY, 3, 2): (Halt, [KEY, "3", "2", "rolled back"]),
    r.CopyRefused("bank.public.accounts", "100038"): (Halt, ["bank.public.accounts", "100038", "bank raw-ddl render"]),
    r.FenceMissing(0): (Halt, ["LOAD_FENCE", "0", "bank provision"]),
    r.TailsBehind(7, 4): (Halt, ["LOAD_TAILS", "4", "7", "bank provision"]),
    r.NotNext(CHAIN, 9, 5): (Halt, ["5", "9", "bank chain"]),
    r.NotNext(CHAIN, None, 5): (Halt, ["5", "bank chain"]),
    r.Overtaken(5): (Retry, ["5", "next run"]),
    r.StoreFailed("503"): (Retry, ["503", "bank logs minio"]),
    r.WarehouseFailed("committing", "1234 gone"): (Retry, ["committing", "1234 gone", "bank logs snowflake"]),
}


@pytest.mark.parametrize("reason", ALL, ids=lambda reason: type(reason).__name__)
def test_the_operator_reads_what_was_seen_and_what_to_do(reason: r.Reason) -> None:
    kind, words = ALL[reason]
    text = str(r.LoadError(reason))
    assert isinstance(r.disposition(reason), kind)
    assert [word for word in words if word not in text] == []


def test_the_table_above_has_every_reason() -> None:
    assert {type(reason) for reason in ALL} == set(get_args(r.Reason))
