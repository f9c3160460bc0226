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
