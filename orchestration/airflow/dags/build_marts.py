"""DAG `build_marts`: one dbt build when RAW holds something that the marts have not seen."""

from datetime import timedelta

from airflow.sdk import Asset, dag, task
from airflow.sdk.exceptions import AirflowSkipException

from bank_common import names
from bank_dags.dag_times import BUILD_TIMEOUT

RAW = Asset(names.RAW_ASSET)


@dag(
    dag_id=names.BUILD_DAG,
    schedule=[RAW],
    catchup=False,
    max_active_runs=1,
    tags=["bank"],
    doc_md=__doc__,
)
def build_marts() -> None:
    """Run the build's task; a failed build stays pending, and the sweep asks for it again."""

    # The build has a deadline of its own; the task's is only for what hangs outside dbt.
    @task(retries=0, execution_timeout=BUILD_TIMEOUT.read() + timedelta(minutes=5))
    def build(dag_run, triggering_asset_events) -> None:
        from bank_dags import tasks
        from bank_dags.building.fence import FenceHeldError

        events = [event for of_asset in triggering_asset_events.values() for event in of_asset]
        traceparents = [tasks.traceparent_of(extra) for extra in (dag_run.conf, *(event.extra for event in events))]
        try:
            built = tasks.build_marts(dag_run.run_id, traceparents)
        except FenceHeldError as held:
            raise AirflowSkipException(f"{held} The build stays pending: the next sweep asks for it.") from held
        if not built:
            raise AirflowSkipException("The marts have seen all that RAW holds.")

    build()  # pyright: ignore[reportCallIssue] - Airflow gives the context


build_marts()
