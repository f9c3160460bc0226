"""DAG `load_raw`: landed segments into RAW, on wake-up and on the sweep's schedule."""

from datetime import UTC, datetime, timedelta

from airflow.sdk import Asset, AssetAlias, dag, task
from airflow.sdk.exceptions import AirflowSkipException, DownstreamTasksSkipped

from bank_common import names
from bank_dags.dag_times import LOAD_INTERVAL, LOAD_TIMEOUT

RAW = Asset(names.RAW_ASSET)
# An alias, so that a load says at its end whether the asset changed (adr/0002).
LOADED = AssetAlias(f"{names.RAW_ASSET}-loads")


@dag(
    dag_id=names.LOAD_DAG,
    schedule=LOAD_INTERVAL.read(),
    start_date=datetime(2026, 1, 1, tzinfo=UTC),
    catchup=False,
    max_active_runs=1,
    tags=["bank"],
    doc_md=__doc__,
)
def load_raw() -> None:
    """Landing minus ledger for a bounded time; the next run is the retry, and takes what is left."""

    @task(outlets=[LOADED], retries=0, execution_timeout=LOAD_TIMEOUT.read())
    def load(dag_run, ti, outlet_events) -> list[str]:
        from bank_dags import tasks
        from bank_dags.next_run import next_run

        outcome = tasks.load_raw(dag_run.run_id, dag_run.conf, sweep=dag_run.run_type == "scheduled")
        if outcome.did_nothing:
            raise AirflowSkipException("No segment is due, and the marts have seen all that is loaded.")
        if outcome.build_pending:
            outlet_events[LOADED].add(RAW, extra=outcome.event_extra())
        if outcome.left:
            if outcome.halted:  # what the task would return, had it no next run to ask for
                ti.xcom_push(key="return_value", value=list(outcome.halted))
            raise next_run(dag_run.conf)
        if not outcome.halted:
            raise DownstreamTasksSkipped(tasks=["halted_chains"])
        return list(outcome.halted)

    @task(retries=0, execution_timeout=timedelta(seconds=60))
    def halted_chains(halted: list[str] | None) -> None:
        """Red for chains that can't go on; a task of its own, for the load's success sends the asset's event."""
        from bank_dags import tasks

        tasks.fail_for_halted(halted or [])

    halted_chains(load())  # pyright: ignore[reportCallIssue, reportArgumentType] - Airflow gives context and value


load_raw()
