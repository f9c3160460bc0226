"""Checks that data moves from the bank to the mart, and that `bank status` is red when it does not."""

from decimal import Decimal

from harness.stack_driver import StackDriver
from harness.waiting import until


def deposit(stack: StackDriver) -> int:
    """Update one account and insert one transaction in one commit; the transaction's id."""
    with stack.postgres(autocommit=False) as bank:
        bank.execute("update accounts set balance = balance + 1 where id = (select min(id) from accounts)")
        row = bank.execute(
            "insert into transactions (account_id, txn_type, amount) select min(id), 'DEPOSIT', %s from accounts"
            " returning id",
            (Decimal(1),),
        ).fetchone()
        bank.commit()
    assert row is not None
    return row[0]


def in_raw(stack: StackDriver, transaction: int) -> bool:
    """Tell whether RAW has this transaction."""
    return stack.number("select count(*) from BANK.RAW.TRANSACTIONS where ID = %s", transaction) > 0


def in_mart(stack: StackDriver, transaction: int) -> bool:
    """Tell whether the mart shows this transaction."""
    return stack.number("select count(*) from BANK.MARTS.FCT_TRANSACTIONS where TRANSACTION_ID = %s", transaction) == 1


def moves(stack: StackDriver, *, seconds: float) -> None:
    """Wait until a deposit made now is in the mart.

    Raises:
        AssertionError: it is not.
    """
    transaction = deposit(stack)
    until(f"deposit {transaction} is in the mart", lambda: in_mart(stack, transaction), seconds=seconds, every=0.5)


def red(stack: StackDriver, word: str, *, seconds: float) -> None:
    """Wait until `bank status` exits with 1 and names `word`.

    Raises:
        AssertionError: it does not; what it said is in the message.
    """

    def named() -> bool:
        code, said = stack.status()
        return code == 1 and word in said

    until(f"bank status is red and names {word}", named, seconds=seconds, every=2.0, state=stack.status)
