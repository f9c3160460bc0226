"""Starts the next run of a load that leaves work behind, without waiting for the sweep."""

import uuid
from collections.abc import Mapping
from typing import Any

from airflow.sdk.exceptions import DagRunTriggerException

from bank_common import names


def next_run(conf: Mapping[str, Any] | None) -> DagRunTriggerException:
    """Make the exception for the load's task: Airflow takes it as a success, sends the asset's event and makes the run.

    `conf` is the caller's: its trace goes on. The run id is new for each, `next__<uuid>`.
    """
    return DagRunTriggerException(
        trigger_dag_id=names.LOAD_DAG,
        dag_run_id=f"next__{uuid.uuid4()}",
        conf=dict(conf or {}),
        reset_dag_run=False,
        skip_when_already_exists=False,
        wait_for_completion=False,
        allowed_states=[],
        failed_states=[],
        poke_interval=0,
        deferrable=False,
    )
