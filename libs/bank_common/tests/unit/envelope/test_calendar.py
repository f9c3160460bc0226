"""Dates of any year: within Python's years what Python says, beyond them what Postgres says."""

from datetime import date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bank_common.envelope.calendar import date_text, timestamp_text

EPOCH = date(1970, 1, 1)


@given(st.dates())
def test_within_python_s_years_it_is_python_s_date(day: date) -> None:
    assert date_text((day - EPOCH).days) == day.isoformat()


@given(st.dates())
def test_400_years_later_it_is_the_same_day(day: date) -> None:
    """The calendar repeats itself after 400 years, so that far years follow from near ones."""
    days = (day - EPOCH).days + 25 * 146_097
    assert date_text(days) == f"{day.year + 10_000}{day.isoformat()[4:]}"


@given(st.datetimes(min_value=datetime(1, 1, 1)))  # noqa: DTZ001 - no zone
def test_a_time_is_written_as_postgres_does(at: datetime) -> None:
    micros = (at - datetime(1970, 1, 1)) // timedelta(microseconds=1)  # noqa: DTZ001
    text = at.isoformat(sep=" ")
    assert timestamp_text(micros) == (text.rstrip("0") if at.microsecond else text)


@pytest.mark.parametrize(
    ("days", "text"),
    [(-719_163, "0001-12-31 BC"), (-719_528, "0001-01-01 BC"), (-735_160, "0044-03-15 BC"), (2_932_897, "10000-01-01")],
)
def test_before_year_one_it_says_so(days: int, text: str) -> None:
    assert date_text(days) == text
