"""What each part of the loop has of its process."""

import time
from collections.abc import Callable
from dataclasses import dataclass

from bank_common.runtime.failpoints import FailpointHandler, no_failpoint
from bank_common.runtime.logging import Logger
from cdc_consumer.failpoints import Failpoint
from cdc_consumer.metrics import ConsumerMetrics


@dataclass(frozen=True, slots=True)
class Runtime:
    """Clock, log, metrics and failpoints. `wall_clock` (seconds since 1970) shows a lag and decides nothing."""

    clock: Callable[[], float]
    log: Logger
    metrics: ConsumerMetrics
    failpoint: FailpointHandler[Failpoint] = no_failpoint
    wall_clock: Callable[[], float] = time.time
