from cdc_consumer.backoff import Gate


def test_it_closes_longer_with_each_failure_and_opens_on_success() -> None:
    gate = Gate(first_seconds=1, max_seconds=4)
    waits: list[float] = []
    for _ in range(4):
        gate.failed(100)
        waits.append(next(second for second in (1, 2, 4, 8) if gate.may_try(100 + second)))
    assert waits == [1, 2, 4, 4]
    assert not gate.may_try(103.9)
    assert gate.failing
    gate.succeeded()
    assert gate.may_try(0)
    assert not gate.failing


def test_many_failures_do_not_overflow() -> None:
    gate = Gate(first_seconds=1, max_seconds=5)
    for _ in range(5000):
        gate.failed(0)
    assert gate.may_try(5)
