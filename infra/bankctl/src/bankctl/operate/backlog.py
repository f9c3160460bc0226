"""The backlog: landed objects that the load ledger does not have yet, the age of the oldest, and broken chains.

One page of one listing a chain, from the chain's tail: a look costs what is new, not the history.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from itertools import islice
from typing import Any, Final

import urllib3
from minio import Minio, S3Error

from bank_common import names
from bank_common.landing.segments import SegmentKey, TopicPartition, chain_prefix
from bank_common.runtime.motion import Rates, Waiting

PAGE: Final = 1000
"""Objects of a chain that one look counts; a store answers a listing in pages of as many."""
RATE_SECONDS: Final = 60.0
_TIMEOUT: Final = urllib3.Timeout(connect=3.0, read=5.0)


@dataclass(frozen=True, slots=True)
class Tail:
    """The ledger's last row of a chain: `[start, end)`. `landed` is False for a range that was skipped on record."""

    start: int
    end: int
    landed: bool = True


@dataclass(frozen=True, slots=True)
class Listed:
    """An object as a listing shows it; `at` is the store's Last-Modified."""

    key: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Listing:
    """The first page of a chain's objects from its tail on, the tail's own segment included; `more`: there are more."""

    chain: TopicPartition
    objects: Sequence[Listed]
    more: bool = False


@dataclass(frozen=True, slots=True)
class Backlog:
    """Landing minus ledger. `lost` and `broken` are sentences; `behind` are the objects that wait, of each chain."""

    waiting: Waiting | None
    lost: tuple[str, ...]
    broken: tuple[str, ...]
    behind: Mapping[TopicPartition, Listing]
    now: datetime


def backlog(listings: Iterable[Listing], tails: Mapping[TopicPartition, Tail], now: datetime) -> Backlog:
    """Compare the listings of all chains with the ledger's tails. Pure."""
    given = {listing.chain: listing for listing in listings}
    lost: list[str] = []
    broken: list[str] = []
    behind: dict[TopicPartition, Listing] = {}
    for chain in sorted({*given, *tails}):
        listing, tail = given.get(chain, Listing(chain, ())), tails.get(chain)
        own = str(SegmentKey(*chain, tail.start)) if tail is not None else ""
        if tail is not None and tail.landed and all(listed.key != own for listed in listing.objects):
            lost.append(f"{chain}: RAW.LOAD_LEDGER ends with {own}, which is not in the landing")
        waiting = [listed for listed in listing.objects if listed.key > own]
        if waiting:
            behind[chain] = Listing(chain, waiting, listing.more)
            broken += _broken(chain, waiting, tail)
    return Backlog(_oldest(behind, now), tuple(lost), tuple(broken), behind, now)


def rates(seen: Backlog, loaded: Mapping[TopicPartition, int]) -> Rates:
    """Segments a second that landed in the last minute, of the chains that were behind all that time, and how many
    of theirs were loaded (`loaded`, of that minute). Pure."""
    since = seen.now - timedelta(seconds=RATE_SECONDS)
    landed, taken = 0.0, 0.0
    for chain, listing in seen.behind.items():
        objects = listing.objects
        if objects[0].at > since:
            continue
        taken += loaded.get(chain, 0) / RATE_SECONDS
        span = (objects[-1].at - objects[0].at).total_seconds()
        # A page that was cut off ends before now: its own pace is the best that it tells.
        recent = sum(1 for listed in objects if listed.at > since) / RATE_SECONDS
        landed += len(objects) / span if listing.more and span > 0 else recent
    return Rates(landed, taken, RATE_SECONDS)


def _broken(chain: TopicPartition, waiting: Sequence[Listed], tail: Tail | None) -> Iterator[str]:
    foreign = False
    for listed in waiting:
        try:
            SegmentKey.parse(listed.key)
        except ValueError as error:
            foreign = True
            yield f"the object {listed.key} in the landing is not a segment: {error}"
    if foreign or tail is None:
        return
    start = SegmentKey.parse(waiting[0].key).start
    if start != tail.end:
        kind = "gap" if start > tail.end else "overlap"
        yield f"{chain}: {kind} in the landing: {tail.end} comes next, the segment starts at {start}"


def _oldest(behind: Mapping[TopicPartition, Listing], now: datetime) -> Waiting | None:
    if not behind:
        return None
    # Chains are in order of their offsets, not of an object's age: one that was put there by hand may be the older.
    oldest = min((listed for listing in behind.values() for listed in listing.objects), key=lambda listed: listed.at)
    count = sum(len(listing.objects) for listing in behind.values())
    return Waiting(oldest.key, oldest.at, now, count, any(listing.more for listing in behind.values()))


# -- looking ---------------------------------------------------------------------------------------------------------


class StoreClock(urllib3.PoolManager):
    """Remembers what the store's own clock said in its last answer. Asks once: a look has no time for retries."""

    def __init__(self) -> None:
        super().__init__(timeout=_TIMEOUT, retries=urllib3.Retry(0), maxsize=8)
        self.now: datetime | None = None

    def urlopen(self, method: str, url: str, redirect: bool = True, **given: Any) -> Any:
        """See `urllib3.PoolManager.urlopen`."""
        answer = super().urlopen(method, url, redirect=redirect, **given)
        if said := answer.headers.get("Date"):
            self.now = parsedate_to_datetime(said)
        return answer


def look(
    client: Minio, clock: StoreClock, tails: Mapping[TopicPartition, Tail], *, bucket: str = names.BUCKET
) -> Backlog:
    """List every chain from its tail; `clock` is the client's own pool manager.

    Raises:
        minio.error.MinioException, urllib3.exceptions.HTTPError: the store does not answer, or refuses.
    """

    def listed(chain: TopicPartition) -> Listing:
        tail = tails.get(chain)
        # One character less sorts just before the tail itself, which must be there.
        after = str(SegmentKey(*chain, tail.start))[:-1] if tail is not None else None
        page = client.list_objects(bucket, prefix=chain_prefix(*chain), recursive=True, start_after=after)
        objects = [Listed(str(stored.object_name), _instant(stored.last_modified)) for stored in islice(page, PAGE)]
        return Listing(chain, objects, more=len(objects) == PAGE)

    with ThreadPoolExecutor(8, thread_name_prefix="landing") as pool:
        folders = pool.map(lambda topic: _chains(client, bucket, topic), names.RAW_TABLE_BY_TOPIC)
        listings = list(pool.map(listed, sorted({*tails, *(chain for chains in folders for chain in chains)})))
    if clock.now is None:
        raise urllib3.exceptions.HTTPError("its answers have no Date")
    return backlog(listings, tails, clock.now)


def _chains(client: Minio, bucket: str, topic: str) -> list[TopicPartition]:
    chains: list[TopicPartition] = []
    try:
        for folder in client.list_objects(bucket, prefix=f"{topic}/"):
            partition = str(folder.object_name).removeprefix(f"{topic}/").rstrip("/")
            if folder.is_dir and len(partition) == len("0000") and partition.isdecimal() and partition.isascii():
                chains.append(TopicPartition(topic, int(partition)))
    except S3Error as error:
        # Before the first provisioning nothing has landed; a bucket that is gone shows by the ledger's tails.
        if error.code != "NoSuchBucket":
            raise
    return chains


def _instant(at: datetime | None) -> datetime:
    if at is None:
        raise urllib3.exceptions.HTTPError("its listing has no Last-Modified")
    return at
