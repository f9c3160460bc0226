from hypothesis import given, settings
from hypothesis import strategies as st

from cdc_consumer.model.dead_letter_limit import DeadLetterLimit, DeadLetterLimits, LimitExceeded

LIMITS = DeadLetterLimits(max_ratio=0.2, max_run=3, window=10)


def test_isolated_rejects_pass_and_a_run_does_not() -> None:
    limit = DeadLetterLimit(LIMITS)
    assert limit.add(10, [0, 5]) is None
    assert DeadLetterLimit(LIMITS).add(10, [2, 3, 4, 5]) == LimitExceeded(4, None)


def test_a_run_goes_on_from_batch_to_batch() -> None:
    limit = DeadLetterLimit(LIMITS._replace(max_ratio=1))
    assert limit.add(2, [0, 1]) is None
    assert limit.add(1, [0]) is None
    assert limit.add(2, [0]) == LimitExceeded(4, None)
    good = DeadLetterLimit(LIMITS._replace(max_ratio=1))
    assert good.add(2, [0, 1]) is None
    assert good.add(1, []) is None
    assert good.add(2, [0, 1]) is None


def test_the_share_is_of_the_latest_records_and_of_no_small_sample() -> None:
    limit = DeadLetterLimit(LIMITS)
    assert limit.add(1, [0]) is None, "one of one is no share"
    assert limit.add(5, [4]) is None
    assert limit.add(2, [1]) == LimitExceeded(3, 10)
    assert limit.add(5, []) is None
    assert limit.add(1, [0]) is None, "the first one is out of the window"


@settings(deadline=None)
@given(st.lists(st.booleans(), min_size=1, max_size=60), st.data())
def test_batches_of_any_size_give_the_verdict_of_the_whole(bad: list[bool], data: st.DataObject) -> None:
    """While no limit is exceeded, the verdict does not depend on where batches end."""
    limit, whole, start = DeadLetterLimit(LIMITS), DeadLetterLimit(LIMITS), 0
    verdicts: list[LimitExceeded | None] = []
    while start < len(bad):
        size = data.draw(st.integers(1, len(bad) - start))
        part = bad[start : start + size]
        verdicts.append(limit.add(size, [index for index, flag in enumerate(part) if flag]))
        start += size
    one_by_one = [whole.add(1, [0] if flag else []) for flag in bad]
    if not any(one_by_one):
        assert not any(verdicts)
