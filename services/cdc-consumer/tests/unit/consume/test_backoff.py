from cdc_consumer.consume.backoff import Backoff


def test_it_closes_longer_with_each_failure_and_opens_on_success() -> None:
    backoff = Backoff(first_seconds=1, max_seconds=4)
    waits: list[float] = []
    for _ in range(4):
        backoff.failed(100)
        waits.append(next(second for second in (1, 2, 4, 8) if backoff.may_try(100 + second)))
    assert waits == [1, 2, 4, 4]
    assert not backoff.may_try(103.9)
    assert backoff.failing
    backoff.succeeded()
    assert backoff.may_try(0)
    assert not backoff.failing


def test_many_failures_do_not_overflow() -> None:
    backoff = Backoff(first_seconds=1, max_seconds=5)
    for _ in range(5000):
        backoff.failed(0)
    assert backoff.may_try(5)
