"""Dates and times beyond the years 1 to 9999, as Postgres writes them. Arithmetic: Python's own types end there."""

from typing import Final

DAY_MICROS: Final = 86_400_000_000
_DAYS_TO_1970: Final = 719_468  # from 0000-03-01, where a year of this arithmetic begins
_DAYS_OF_ERA: Final = 146_097  # 400 years of the Gregorian calendar


def date_text(days: int) -> str:
    """The date that is so many days from 1970-01-01, e.g. `10000-01-01` or `0044-03-15 BC`."""
    date, era = _date(days)
    return f"{date}{era}"


def timestamp_text(micros: int) -> str:
    """The time that is so many microseconds from 1970-01-01, e.g. `10000-01-01 00:00:00.5`."""
    days, rest = divmod(micros, DAY_MICROS)
    date, era = _date(days)
    seconds, fraction = divmod(rest, 1_000_000)
    minutes, second = divmod(seconds, 60)
    hour, minute = divmod(minutes, 60)
    part = f".{fraction:06d}".rstrip("0") if fraction else ""
    return f"{date} {hour:02d}:{minute:02d}:{second:02d}{part}{era}"


def _date(days: int) -> tuple[str, str]:
    """Year, month and day in the proleptic Gregorian calendar, and ` BC` before year 1.

    Counted in eras of 400 years and in years from March on, so that a leap day is the last of its year
    (H. Hinnant, chrono-Compatible Low-Level Date Algorithms).
    """
    era, day_of_era = divmod(days + _DAYS_TO_1970, _DAYS_OF_ERA)
    year_of_era = (day_of_era - day_of_era // 1460 + day_of_era // 36_524 - day_of_era // 146_096) // 365
    day_of_year = day_of_era - (365 * year_of_era + year_of_era // 4 - year_of_era // 100)
    from_march = (5 * day_of_year + 2) // 153
    day = day_of_year - (153 * from_march + 2) // 5 + 1
    month = from_march + 3 if from_march < 10 else from_march - 9
    year = year_of_era + era * 400 + (month <= 2)
    return (f"{year:04d}-{month:02d}-{day:02d}", "") if year > 0 else (f"{1 - year:04d}-{month:02d}-{day:02d}", " BC")
