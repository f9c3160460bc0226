"""M10: when a build is pending."""

import pytest

from bank_dags.loading.ports import PendingBuild


@pytest.mark.parametrize(
    ("changed", "built", "pending"),
    [
        (None, None, False),  # nothing but heartbeats was ever loaded
        (None, 3, False),
        (1, None, True),  # never built
        (4, 3, True),  # loaded since, or the build of 4 failed
        (4, 4, False),
        (3, 4, False),
    ],
)
def test_a_build_is_pending_while_the_ledger_is_ahead_of_the_last_good_build(
    changed: int | None, built: int | None, pending: bool
) -> None:
    assert PendingBuild(changed, built).is_pending is pending


@pytest.mark.parametrize(
    ("silent_seconds", "loaded", "asked_for"),
    [(None, False, True), (24, False, False), (25, False, True), (0, True, True)],
)
def test_a_run_that_loaded_nothing_leaves_a_living_build_alone(
    silent_seconds: int | None, loaded: bool, asked_for: bool
) -> None:
    assert PendingBuild(4, 3, silent_seconds).is_asked_for(loaded=loaded) is asked_for
    assert not PendingBuild(4, 4, silent_seconds).is_asked_for(loaded=loaded), "nothing is pending"
