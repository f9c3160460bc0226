"""Every failure says what was seen and what to do."""

from pathlib import Path
from typing import get_args

import pytest

from bank_common.landing.segments import TopicPartition
from bank_common.runtime.errors import Halt, Retry
from bank_dags.loading import failures as f

CHAIN = TopicPartition("bank.public.accounts", 1)
RUNBOOKS = Path(__file__).parents[5] / "infra" / "runbooks"
KEY = "bank.public.accounts/0001/00000000000000/00000000000000000005.parquet"
ALL = {
    f.BrokenChain(CHAIN, 5, 8): (Halt, ["bank.public.accounts/1", "gap", "5", "8"], "landing-chain-broken"),
    f.BrokenChain(CHAIN, 5, 4): (Halt, ["bank.public.accounts/1", "overlap", "5", "4"], "landing-chain-broken"),
    f.LedgerBeyondLanding(CHAIN, KEY): (Halt, [KEY, "BANK_DAGS_BUCKET"], "segments-missing"),
    f.ForeignObject("x/y", "no key"): (Halt, ["x/y", "no key"], "damaged-segment"),
    f.ContentDiffers(KEY, "aa", "bb"): (Halt, [KEY, "aa", "bb"], "damaged-segment"),
    f.RowsDiffer(KEY, 3, 2): (Halt, [KEY, "3", "2", "rolled back"], "copy-refused"),
    f.CopyRefused("bank.public.accounts", "100038"): (Halt, ["bank.public.accounts", "100038"], "copy-refused"),
    f.FenceMissing(0): (Halt, ["LOAD_FENCE", "0", "LOAD_LEDGER"], "load-fence"),
    f.TailsBehind(7, 4): (Halt, ["LOAD_TAILS", "4", "7", "LOAD_LEDGER"], "load-fence"),
    f.NotNext(CHAIN, 9, 5): (Halt, ["5", "9", "LOAD_TAILS"], "landing-chain-broken"),
    f.NotNext(CHAIN, None, 5): (Halt, ["5", "LOAD_TAILS"], "landing-chain-broken"),
    f.Overtaken(5): (Retry, ["5", "next run"], "load-fence"),
    f.StoreFailed("503"): (Retry, ["503", "BANK_DAGS_STORE__ENDPOINT"], "object-store-not-answering"),
    f.WarehouseFailed("committing", "1234 gone"): (
        Retry,
        ["committing", "1234 gone", "SNOWFLAKE_"],
        "warehouse-not-answering",
    ),
}


@pytest.mark.parametrize("failure", ALL, ids=lambda failure: type(failure).__name__)
def test_the_operator_reads_what_was_seen_and_what_to_do(failure: f.LoadFailure) -> None:
    kind, words, runbook = ALL[failure]
    text = str(f.LoadError(failure))
    assert isinstance(f.error_policy(failure), kind)
    assert [word for word in words if word not in text] == []
    assert text.endswith(f" Runbook: infra/runbooks/{runbook}.md.")
    assert (RUNBOOKS / f"{runbook}.md").is_file()


@pytest.mark.parametrize("failure", ALL, ids=lambda failure: type(failure).__name__)
def test_no_advice_costs_the_bank_s_data(failure: f.LoadFailure) -> None:
    advice = f.error_policy(failure).advice
    assert "`bank " not in advice
    assert "wipe" not in advice


def test_the_table_above_has_every_failure() -> None:
    assert {type(failure) for failure in ALL} == set(get_args(f.LoadFailure))
