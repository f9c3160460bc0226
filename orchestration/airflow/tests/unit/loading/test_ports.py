"""M10: when a build is owed."""

import pytest

from bank_dags.loading.ports import Standing


@pytest.mark.parametrize(
    ("changed", "built", "owed"),
    [
        (None, None, False),  # nothing but heartbeats was ever loaded
        (None, 3, False),
        (1, None, True),  # never built
        (4, 3, True),  # loaded since, or the build of 4 failed
        (4, 4, False),
        (3, 4, False),
    ],
)
def test_a_build_is_owed_while_the_ledger_is_ahead_of_the_last_good_build(
    changed: int | None, built: int | None, owed: bool
) -> None:
    assert Standing(changed, built).build_owed is owed
