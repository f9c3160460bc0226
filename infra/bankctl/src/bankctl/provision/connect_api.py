"""The part of Kafka Connect's REST API that provisioning and `bank connector` use."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal, Self

import httpx
from tenacity import Retrying, retry_if_exception_type, stop_after_delay, wait_fixed

from bank_common.runtime.errors import PipelineError

RUNNING: Final = "RUNNING"
FAILED: Final = "FAILED"
_TIMEOUT_SECONDS: Final = 90.0
_REBALANCE_SECONDS: Final = 60.0
_REASON_LENGTH: Final = 300


class ConnectError(PipelineError):
    """Kafka Connect refused, can't be reached, or runs the connector with a failure."""


class _RebalancingError(Exception):
    """409: the workers are sharing their tasks out; the same request succeeds a moment later."""


@dataclass(frozen=True, slots=True)
class ConnectorStatus:
    """The state of a connector and of its tasks, and the failure's trace where there is one."""

    name: str
    state: str
    tasks: tuple[str, ...]
    trace: str | None = None

    @property
    def running(self) -> bool:
        """The connector and at least one task run, and no task does anything else."""
        return self.state == RUNNING and bool(self.tasks) and all(state == RUNNING for state in self.tasks)

    @property
    def failed(self) -> bool:
        """The connector or a task has given up; Connect does not try again by itself."""
        return FAILED in (self.state, *self.tasks)

    @property
    def reason(self) -> str:
        """The first line of the failure's innermost cause, else of its trace; empty when there is none."""
        lines = (self.trace or "").splitlines()
        causes = [line for line in lines if line.startswith("Caused by: ")]
        line = (causes[-1] if causes else lines[0] if lines else "").removeprefix("Caused by: ").strip()
        return line if len(line) <= _REASON_LENGTH else f"{line[:_REASON_LENGTH]} …"

    @classmethod
    def parse(cls, answer: Mapping[str, Any]) -> Self:
        """Read the answer of `GET /connectors/{name}/status`."""
        tasks = answer["tasks"]
        traces = [entry["trace"] for entry in (answer["connector"], *tasks) if entry.get("trace")]
        return cls(
            answer["name"],
            answer["connector"]["state"],
            tuple(task["state"] for task in tasks),
            traces[0] if traces else None,
        )


class ConnectApi:
    """Client of a Connect cluster. Every method raises `ConnectError` when Connect can't be reached or refuses."""

    def __init__(
        self, url: str, *, timeout_seconds: float = _TIMEOUT_SECONDS, transport: httpx.BaseTransport | None = None
    ) -> None:
        self._url = url
        self._rebalance_seconds = min(timeout_seconds, _REBALANCE_SECONDS)
        self._client = httpx.Client(base_url=url, timeout=timeout_seconds, transport=transport, trust_env=False)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()

    def config(self, name: str) -> dict[str, str] | None:
        """The connector's configuration as it was sent, or None when there is no such connector."""
        answer = self._request("GET", f"/connectors/{name}/config")
        return None if answer is None else {key: value for key, value in answer.items() if key != "name"}

    def put_config(self, name: str, config: Mapping[str, str]) -> None:
        """Create the connector or replace its configuration."""
        self._request("PUT", f"/connectors/{name}/config", dict(config))

    def status(self, name: str) -> ConnectorStatus | None:
        """The connector's state, or None when there is no such connector or it is not assigned to a worker yet."""
        answer = self._request("GET", f"/connectors/{name}/status")
        return None if answer is None else ConnectorStatus.parse(answer)

    def restart(self, name: str, *, only_failed: bool = False) -> bool:
        """Restart the connector and its tasks; False when there is no such connector."""
        query = f"includeTasks=true&onlyFailed={str(only_failed).lower()}"
        return self._request("POST", f"/connectors/{name}/restart?{query}") is not None

    def delete(self, name: str) -> bool:
        """Delete the connector; its offsets and its slot stay. False when there was none."""
        return self._request("DELETE", f"/connectors/{name}") is not None

    def _request(
        self, method: Literal["GET", "PUT", "POST", "DELETE"], path: str, body: dict[str, str] | None = None
    ) -> Any | None:
        """The decoded answer ({} when it is empty), or None for 404."""
        try:
            for attempt in Retrying(
                retry=retry_if_exception_type(_RebalancingError),
                stop=stop_after_delay(self._rebalance_seconds),
                wait=wait_fixed(0.25),
                reraise=True,
            ):
                with attempt:
                    return self._once(method, path, body)
        except (httpx.HTTPError, _RebalancingError) as error:
            raise ConnectError(
                f"Kafka Connect at {self._url} does not answer: {error or type(error).__name__}.",
                advice="See `bank status` and `bank logs connect`.",
            ) from error
        raise AssertionError("unreachable: Retrying returns or raises")

    def _once(self, method: str, path: str, body: dict[str, str] | None) -> Any | None:
        answer = self._client.request(method, path, json=body)
        if answer.status_code == httpx.codes.NOT_FOUND:
            return None
        if answer.status_code == httpx.codes.CONFLICT:
            raise _RebalancingError("the workers are rebalancing")
        if answer.is_error:
            raise ConnectError(
                f"Kafka Connect refused {method} {path.partition('?')[0]}: {_message(answer)}",
                advice="Correct the configuration (infra/platform.toml, then `bank render`) or what it points to.",
            )
        return answer.json() if answer.content else {}


def _message(answer: httpx.Response) -> str:
    """Connect's own sentences, without the line that only repeats the REST call."""
    try:
        text = str(json.loads(answer.text)["message"])
    except (ValueError, KeyError):
        text = answer.text or answer.reason_phrase
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return " ".join(line for line in lines if not line.startswith("You can also find the above list"))
