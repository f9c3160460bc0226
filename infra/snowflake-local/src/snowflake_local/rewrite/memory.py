"""The plans of texts that come again: clients send the same ones again and again, and a rewrite costs 80 walks."""

import threading
from collections import OrderedDict
from collections.abc import Hashable
from typing import Final

from snowflake_local.rewrite.statement_plan import Rewritten

LONGEST: Final = 30_000
"""Characters of a text that is worth keeping; longer ones hold values, and do not come again."""
_KEPT_CHARACTERS: Final = 1_000_000
"""Of all texts together; a plan takes some times its text."""
_REMEMBERED: Final = 5000


class Memory:
    """Plans by their text and by what else they depend on; for all sessions."""

    def __init__(self) -> None:
        self._plans: OrderedDict[tuple[str, Hashable], Rewritten] = OrderedDict()
        self._characters = 0
        self._seen: OrderedDict[int, None] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, text: str, context: Hashable) -> Rewritten | None:
        """The plans of a text in a context, if they are kept."""
        with self._lock:
            key = (text, context)
            plans = self._plans.get(key)
            if plans is not None:
                self._plans.move_to_end(key)
            return plans

    def keep(self, text: str, context: Hashable, plans: Rewritten) -> None:
        """Keep plans that last, when their text comes for the second time: most never do."""
        if len(text) > LONGEST or not plans.is_lasting:
            return
        key = (text, context)
        with self._lock:
            if key in self._plans or not self._comes_again(hash(key)):
                return
            self._plans[key] = plans
            self._characters += len(text)
            while self._characters > _KEPT_CHARACTERS:
                (oldest, _), _plans = self._plans.popitem(last=False)
                self._characters -= len(oldest)

    def _comes_again(self, number: int) -> bool:
        if number in self._seen:
            del self._seen[number]
            return True
        self._seen[number] = None
        if len(self._seen) > _REMEMBERED:
            self._seen.popitem(last=False)
        return False
