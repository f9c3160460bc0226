"""Reads the state of the hops that `bank status` shows; `bank_common.runtime.motion` judges it."""

import json
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field, replace
from typing import Any, Final

from minio import MinioAdmin
from minio.credentials.providers import StaticProvider
from minio.error import MinioException
from snowflake.connector import errors as snowflake_errors
from urllib3.exceptions import HTTPError

from bank_common import names
from bank_common.landing.segments import TopicPartition
from bank_common.runtime import motion
from bank_common.runtime.errors import PipelineError
from bank_common.runtime.motion import Motion, Waiting
from bankctl.operate import backlog, ledger
from bankctl.operate.backlog import RATE_SECONDS, Backlog, StoreClock
from bankctl.operate.orchestration import AirflowApi, DagView, NoAnswer
from bankctl.provision.connect_api import ConnectApi, ConnectError, ConnectorStatus
from bankctl.stack.identities import AIRFLOW_ADMIN
from bankctl.stack.stack import Stack

CONNECT_SECONDS: Final = 10.0
WAREHOUSE_SECONDS: Final = 10
"""How long a look waits for the warehouse: a login and three statements."""
_LAST_LINE: Final = -1
_DETAIL_LENGTH: Final = 300


@dataclass(frozen=True, slots=True)
class Look:
    """The state that was read, or a text that says why it was not. `up_seconds`: the store's uptime, where it tells."""

    landing: Backlog | str
    pending_build: Waiting | str | None
    dags: Mapping[str, DagView] | str
    connector: ConnectorStatus | str | None
    loaded: Mapping[TopicPartition, int] = field(default_factory=dict)
    up_seconds: float | None = None


def survey(stack: Stack) -> list[Motion]:
    """Capture, load and build as they are now. What does not answer makes red whatever it is needed for, by its name.

    Costs a login and two or three statements of the warehouse, a listing of each topic and each chain, and a dozen
    requests of Airflow. On an account each look wakes the warehouse.
    """
    settings = stack.settings
    return judged(look(stack), settings.load_interval_seconds, settings.target_lag_seconds)


def judged(seen: Look, sweep_seconds: float, target_lag_seconds: float) -> list[Motion]:
    """The motion of capture, load and build. Pure."""
    return [_capture(seen), _load(seen, sweep_seconds, target_lag_seconds), _build(seen, target_lag_seconds)]


def _capture(seen: Look) -> Motion:
    found = seen.connector
    if isinstance(found, str):
        return motion.not_judged(motion.CAPTURE, found)
    if found is None:
        return motion.captured(names.CONNECTOR, None, ())
    reason = f"{found.reason}. Mend that, then `bank connector restart`" if found.failed else ""
    return motion.captured(found.name, found.state, found.tasks, reason=reason)


def _load(seen: Look, sweep_seconds: float, target_lag_seconds: float) -> Motion:
    if isinstance(seen.landing, str):
        return motion.not_judged(motion.LOAD, seen.landing)
    judged_motion = motion.landed_not_loaded(
        seen.landing.waiting,
        sweep_seconds=sweep_seconds,
        target_lag_seconds=target_lag_seconds,
        lost=seen.landing.lost,
        broken=seen.landing.broken,
        up_seconds=seen.up_seconds,
        seen=_seen(seen, names.LOAD_DAG),
        rates=backlog.rates(seen.landing, seen.loaded) if seen.landing.behind else None,
    )
    return _unless_unheard(judged_motion, seen)


def _build(seen: Look, target_lag_seconds: float) -> Motion:
    if isinstance(seen.pending_build, str):
        return motion.not_judged(motion.BUILD, seen.pending_build)
    judged_motion = motion.loaded_not_built(
        seen.pending_build,
        target_lag_seconds=target_lag_seconds,
        build_seconds=() if isinstance(seen.dags, str) else seen.dags[names.BUILD_DAG].task_seconds,
        up_seconds=seen.up_seconds,
        seen=_seen(seen, names.BUILD_DAG),
    )
    return _unless_unheard(judged_motion, seen)


def _seen(seen: Look, dag: str) -> tuple[str, ...]:
    return (seen.dags,) if isinstance(seen.dags, str) else seen.dags[dag].seen


def _unless_unheard(judged_motion: Motion, seen: Look) -> Motion:
    """Turn red without Airflow: nothing will move, though nothing waits at this moment."""
    return (
        motion.not_judged(judged_motion.hop, seen.dags)
        if judged_motion.moving and isinstance(seen.dags, str)
        else judged_motion
    )


# -- looking ---------------------------------------------------------------------------------------------------------


def look(stack: Stack) -> Look:
    """Ask the warehouse, the store and Airflow, side by side where one does not need another's answer."""
    with ThreadPoolExecutor(3, thread_name_prefix="motion") as pool:
        dags, up_seconds = pool.submit(_dags, stack), pool.submit(_up_seconds, stack)
        connector = pool.submit(_connector, stack)
        landing, pending_build, loaded = _data(stack)
        return Look(landing, pending_build, dags.result(), connector.result(), loaded, up_seconds.result())


def _data(stack: Stack) -> tuple[Backlog | str, Waiting | str | None, Mapping[TopicPartition, int]]:
    try:
        with closing(
            stack.connect_warehouse(login_timeout=WAREHOUSE_SECONDS, network_timeout=WAREHOUSE_SECONDS)
        ) as connection:
            # The tails before the landing: what is loaded meanwhile shows as waiting for a moment, never as missing.
            pending_build, tails = ledger.pending_build(connection), ledger.tails(connection)
            landing = _landing(stack, tails)
            late = not isinstance(landing, str) and landing.waiting and landing.waiting.seconds > RATE_SECONDS
            return landing, pending_build, ledger.loaded(connection, RATE_SECONDS) if late else {}
    except snowflake_errors.Error as error:
        return (said := f"the warehouse does not answer: {_line(error.msg or error)}"), said, {}
    except PipelineError as error:
        return (said := _line(error.message)), said, {}


def _landing(stack: Stack, tails: Mapping[TopicPartition, backlog.Tail]) -> Backlog | str:
    clock = StoreClock()
    try:
        return backlog.look(stack.object_store(http_client=clock), clock, tails)
    except (MinioException, HTTPError) as error:
        return f"the object store does not answer: {_line(getattr(error, 'reason', None) or error)}"


def _dags(stack: Stack) -> Mapping[str, DagView] | str:
    login = AIRFLOW_ADMIN, stack.secret("airflow_admin_password")
    try:
        with AirflowApi(stack.url("airflow"), *login) as api:
            common = api.common()
            views = {dag: api.dag(dag) for dag in (names.LOAD_DAG, names.BUILD_DAG)}
            return {dag: replace(view, seen=(*common, *view.seen)) for dag, view in views.items()}
    except NoAnswer as error:
        return f"Airflow does not answer: {error}"


def _connector(stack: Stack) -> ConnectorStatus | str | None:
    try:
        with ConnectApi(stack.url("connect"), timeout_seconds=CONNECT_SECONDS) as api:
            return api.status(names.CONNECTOR)
    except ConnectError as error:
        return _line(error.message)


def _up_seconds(stack: Stack) -> float | None:
    """Read the object store's uptime; None where it is no MinIO or does not answer."""
    admin = MinioAdmin(
        endpoint=stack.address("minio"),
        credentials=StaticProvider(stack.secret("minio_root_user"), stack.secret("minio_root_password")),
        region="us-east-1",
        secure=False,
        http_client=StoreClock(),
    )
    try:
        servers: list[dict[str, Any]] = json.loads(admin.info())["servers"]
        return max(float(server["uptime"]) for server in servers)
    except (MinioException, HTTPError, ValueError, KeyError, TypeError):
        return None


def _line(error: object) -> str:
    """The last line of what was said, where clients put the cause; without the address that they begin with."""
    return (str(error).strip().splitlines() or [type(error).__name__])[_LAST_LINE].rpartition("): ")[2][:_DETAIL_LENGTH]
