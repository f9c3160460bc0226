"""Settings that the parent gives to its scheduler."""

import pytest

from bank_dags.scheduling.__main__ import idle_sleep
from bank_dags.scheduling.metadata import dsn


@pytest.mark.parametrize(("target_lag", "seconds"), [(0.0, "0.2"), (0.5, "1"), (10.0, "1"), (600.0, "1")])
def test_a_scheduler_rests_longer_where_marts_may_lag(target_lag: float, seconds: str) -> None:
    assert idle_sleep(target_lag) == seconds


def test_the_database_is_airflows_own() -> None:
    variable = "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN"
    url = "postgresql://airflow:secret@127.0.0.1:15433/airflow"
    assert dsn({variable: url.replace("postgresql:", "postgresql+psycopg2:")}) == url
    assert dsn({f"{variable}_CMD": f"echo {url}"}) == url
