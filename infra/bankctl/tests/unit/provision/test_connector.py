"""What is sent to Connect, and what its answers mean; a scripted Connect stands behind a real HTTP client."""

from collections.abc import Callable, Iterator

import httpx
import pytest

from bankctl.provision.connect_api import ConnectApi, ConnectError, ConnectorStatus
from bankctl.provision.connector import apply

CONFIG = {"tasks.max": "1"}
Answer = Callable[[httpx.Request], httpx.Response]


def _status(connector: str, *tasks: str, trace: str | None = None) -> dict[str, object]:
    entries = [
        {"id": number, "state": state, **({"trace": trace} if trace else {})} for number, state in enumerate(tasks)
    ]
    return {"name": "c", "connector": {"state": connector}, "tasks": entries}


class ScriptedConnect:
    """Answers GET config and status from a script and records what it is told to do."""

    def __init__(self, config: dict[str, str] | None, statuses: Iterator[dict[str, object]]) -> None:
        self.config, self.statuses = config, statuses
        self.commands: list[str] = []
        self.last: dict[str, object] = {}
        self.rebalances = 0

    def __call__(self, request: httpx.Request) -> httpx.Response:
        if self.rebalances:
            self.rebalances -= 1
            return httpx.Response(409, json={"message": "rebalancing"})
        if request.method != "GET":
            self.commands.append(f"{request.method} {request.url.path}")
            self.config = CONFIG if request.method == "PUT" else self.config
            return httpx.Response(200, json={})
        if request.url.path.endswith("/config"):
            return httpx.Response(404) if self.config is None else httpx.Response(200, json=self.config | {"name": "c"})
        self.last = next(self.statuses, self.last)
        return httpx.Response(200, json=self.last)


class ManualClock:
    """Time passes only by waiting."""

    def __init__(self) -> None:
        self.now = 0.0

    def read(self) -> float:
        return self.now

    def wait(self, seconds: float) -> None:
        self.now += seconds


def _apply(connect: ScriptedConnect) -> bool:
    clock = ManualClock()
    with ConnectApi("http://connect", transport=httpx.MockTransport(connect)) as api:
        return apply(api, "c", CONFIG, wait_seconds=30, clock=clock.read, pause=clock.wait)


def test_a_running_connector_with_this_configuration_is_left_alone() -> None:
    connect = ScriptedConnect(CONFIG, iter([_status("RUNNING", "RUNNING")]))
    assert _apply(connect) is False
    assert connect.commands == []


@pytest.mark.parametrize("config", [None, {"tasks.max": "2"}])
def test_a_missing_or_different_one_is_put(config: dict[str, str] | None) -> None:
    connect = ScriptedConnect(config, iter([_status("RUNNING"), _status("RUNNING", "RUNNING")]))
    assert _apply(connect) is True
    assert connect.commands == ["PUT /connectors/c/config"]


def test_a_failed_task_is_started_again() -> None:
    connect = ScriptedConnect(CONFIG, iter([_status("RUNNING", "FAILED", trace="x"), _status("RUNNING", "RUNNING")]))
    assert _apply(connect) is True
    assert connect.commands == ["POST /connectors/c/restart"]


def test_a_task_that_runs_for_a_moment_and_fails_is_not_said_to_run() -> None:
    """Its first seconds are spent on connecting: what it can't go on from comes after them."""
    trace = "org.Wrapped: outer\nCaused by: java.Inner: the slot is gone\n"
    moment = [_status("RUNNING", "RUNNING")] * 40
    failed = _status("RUNNING", "FAILED", trace=trace)
    connect = ScriptedConnect(CONFIG, iter([failed, *moment, failed]))
    with pytest.raises(ConnectError, match=r"java\.Inner: the slot is gone\."):
        _apply(connect)


def test_a_task_that_stays_failed_gives_the_cause() -> None:
    trace = "org.Wrapped: outer\n\tat x\nCaused by: java.Inner: password authentication failed\n\tat y\n"
    connect = ScriptedConnect(CONFIG, iter([_status("RUNNING", "FAILED", trace=trace)]))
    with pytest.raises(ConnectError, match=r"java\.Inner: password authentication failed\."):
        _apply(connect)


def test_a_connector_without_a_task_is_not_running() -> None:
    connect = ScriptedConnect(CONFIG, iter([_status("RUNNING")]))
    with pytest.raises(ConnectError, match=r"its tasks none after 30 s"):
        _apply(connect)


def test_a_rebalance_is_waited_for() -> None:
    connect = ScriptedConnect(CONFIG, iter([_status("RUNNING", "RUNNING")]))
    connect.rebalances = 2
    assert _apply(connect) is False


def test_a_refusal_is_told_in_connects_own_words() -> None:
    def refuse(request: httpx.Request) -> httpx.Response:
        if request.method == "GET":
            return httpx.Response(404)
        said = "Connector configuration is invalid:\nslot.name is bad\nYou can also find the above list of errors at …"
        return httpx.Response(400, json={"error_code": 400, "message": said})

    with (
        ConnectApi("http://connect", transport=httpx.MockTransport(refuse)) as api,
        pytest.raises(ConnectError, match=r"slot\.name is bad") as refused,
    ):
        apply(api, "c", CONFIG)
    assert "You can also find" not in str(refused.value)


def test_the_reason_is_the_innermost_cause() -> None:
    assert ConnectorStatus("c", "FAILED", (), "a: b\n\tat z").reason == "a: b"
    assert ConnectorStatus("c", "FAILED", (), None).reason == ""
