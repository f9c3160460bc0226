"""The failures of a load, a closed set, and the error policy of each one, with advice for the operator."""

from dataclasses import dataclass
from typing import Final, assert_never

from bank_common.landing.segments import TopicPartition
from bank_common.runtime.errors import ErrorPolicy, Halt, PipelineError, Retry


@dataclass(frozen=True, slots=True)
class BrokenChain:
    """A segment does not start where the chain's last one ended: a gap, or an overlap."""

    chain: TopicPartition
    expected: int
    found: int

    @property
    def kind(self) -> str:
        """`gap` or `overlap`."""
        return "gap" if self.found > self.expected else "overlap"


@dataclass(frozen=True, slots=True)
class LedgerBeyondLanding:
    """The ledger knows a segment that is not in the landing."""

    chain: TopicPartition
    key: str


@dataclass(frozen=True, slots=True)
class ForeignObject:
    """An object in a chain's place is not a segment of it, or its metadata can't be read."""

    key: str
    why: str


@dataclass(frozen=True, slots=True)
class ContentDiffers:
    """An object's bytes are not those that its metadata names."""

    key: str
    expected_sha256: str
    found_sha256: str


@dataclass(frozen=True, slots=True)
class RowsDiffer:
    """COPY loaded another number of rows than the segment has."""

    key: str
    expected: int
    found: int


@dataclass(frozen=True, slots=True)
class CopyRefused:
    """COPY found a value of a topic's files that does not fit its column."""

    topic: str
    detail: str


@dataclass(frozen=True, slots=True)
class FenceMissing:
    """`RAW.LOAD_FENCE` does not have exactly one row."""

    rows: int


@dataclass(frozen=True, slots=True)
class TailsBehind:
    """`RAW.LOAD_TAILS` lacks a committed load: a plan made from it would load segments a second time."""

    load_id: int
    tails_load_id: int


@dataclass(frozen=True, slots=True)
class NotNext:
    """A skip names an offset that is not the next one of its chain, or a range that can't be."""

    chain: TopicPartition
    expected: int | None
    asked: int


@dataclass(frozen=True, slots=True)
class Overtaken:
    """Other loads moved the ledger each time that this one had the fence."""

    attempts: int


@dataclass(frozen=True, slots=True)
class StoreFailed:
    """The object store did not answer, or refused."""

    detail: str


@dataclass(frozen=True, slots=True)
class WarehouseFailed:
    """A statement failed, or the warehouse did not answer."""

    doing: str
    detail: str


LoadFailure = (
    BrokenChain
    | LedgerBeyondLanding
    | ForeignObject
    | ContentDiffers
    | RowsDiffer
    | CopyRefused
    | FenceMissing
    | TailsBehind
    | NotNext
    | Overtaken
    | StoreFailed
    | WarehouseFailed
)

OF_ONE_TOPIC: Final = (RowsDiffer, CopyRefused)
"""Found by COPY: they stop the topic's chains and no other's."""
OF_ONE_CHAIN: Final = (BrokenChain, LedgerBeyondLanding, ForeignObject, ContentDiffers, *OF_ONE_TOPIC)
"""They stop a chain at the segment that they name."""


class LoadError(PipelineError):
    """A load stopped and changed nothing; `failure` says why."""

    def __init__(self, failure: LoadFailure) -> None:
        super().__init__(describe(failure), advice=error_policy(failure).advice)
        self.failure = failure


def describe(failure: LoadFailure) -> str:  # noqa: PLR0912 - one branch a failure
    """Describe what was seen, in one sentence."""
    match failure:
        case BrokenChain(chain, expected, found):
            return f"{chain}: {failure.kind} in the landing: {expected} comes next, the segment starts at {found}."
        case LedgerBeyondLanding(chain, key):
            return f"{chain}: RAW.LOAD_LEDGER ends with {key}, which is not in the landing."
        case ForeignObject(key, why):
            return f"The object {key} in the landing is not a segment: {why}."
        case ContentDiffers(key, expected, found):
            return f"The object {key} has sha256 {found}, its metadata says {expected}."
        case RowsDiffer(key, expected, found):
            return f"COPY loaded {found} rows of {key}, which has {expected}; the load was rolled back."
        case CopyRefused(topic, detail):
            return f"COPY refused the files of {topic}: {detail}."
        case FenceMissing(rows):
            return f"RAW.LOAD_FENCE has {rows} rows with ID 1, it must have one."
        case TailsBehind(load_id, tails_load_id):
            return f"RAW.LOAD_TAILS ends with load {tails_load_id}, the last one was {load_id}; nothing was loaded."
        case NotNext(chain, expected, asked):
            state = "nothing of it is landed or loaded" if expected is None else f"its next offset is {expected}"
            return f"{chain}: a skip at {asked} is not possible: {state}."
        case Overtaken(attempts):
            return f"Other loads moved the ledger {attempts} times while this one waited for the fence."
        case StoreFailed(detail):
            return f"The object store failed: {detail}."
        case WarehouseFailed(doing, detail):
            return f"The warehouse failed while {doing}: {detail}."
        case _:
            assert_never(failure)


def error_policy(failure: LoadFailure) -> ErrorPolicy:  # noqa: PLR0912 - one branch a failure
    """Retry: the next run tries again by itself. Halt: it can't get better alone. The advice names the runbook."""
    match failure:
        case BrokenChain():
            return Halt(
                "Keep the bucket as it is, and put the missing segment back from a copy of it; nothing behind a gap is "
                "loaded."
                if failure.kind == "gap"
                else "Two owners wrote the chain, or the ledger is another landing's: stop the consumer, keep the "
                "bucket, and compare the segments before any is moved.",
                runbook="landing-chain-broken",
            )
        case LedgerBeyondLanding():
            return Halt(
                "Check BANK_DAGS_STORE__ENDPOINT and BANK_DAGS_BUCKET; if they are right, segments are gone from the "
                "landing: restore them from a copy.",
                runbook="segments-missing",
            )
        case ForeignObject():
            return Halt(
                "Only the consumer writes there: find who else did, and move the object out of the bucket if it never "
                "was a segment.",
                runbook="damaged-segment",
            )
        case ContentDiffers():
            return Halt(
                "Segments never change: somebody replaced it, or the store is damaged. Restore the object from a copy, "
                "with its metadata.",
                runbook="damaged-segment",
            )
        case RowsDiffer():
            return Halt(
                "The consumer or COPY has a defect: keep the object, it is loaded once that is mended.",
                runbook="copy-refused",
            )
        case CopyRefused(topic, _):
            return Halt(
                f"A value of {topic} does not fit its column in RAW; other tables go on. Compare its columns at the "
                "source with RAW's, and keep the RAW table.",
                runbook="copy-refused",
            )
        case FenceMissing():
            return Halt(
                "It needs its one row again, with the highest LOAD_ID of RAW.LOAD_LEDGER.",
                runbook="load-fence",
            )
        case TailsBehind():
            return Halt(
                "Compare them with RAW.LOAD_LEDGER; provisioning RAW brings the tails up to it, and the next run "
                "loads.",
                runbook="load-fence",
            )
        case NotNext():
            return Halt(
                "Segments load in chain order and none is passed over; END_OFFSET in RAW.LOAD_TAILS is the chain's "
                "next offset.",
                runbook="landing-chain-broken",
            )
        case Overtaken():
            return Retry(
                "Nothing to do: the next run continues. If it stays, look for a second scheduler on this warehouse.",
                runbook="load-fence",
            )
        case StoreFailed():
            return Retry(
                "The next run tries again; check BANK_DAGS_STORE__ENDPOINT and the store.",
                runbook="object-store-not-answering",
            )
        case WarehouseFailed():
            return Retry(
                "Nothing was changed; the next run tries again. Check SNOWFLAKE_* and the warehouse.",
                runbook="warehouse-not-answering",
            )
        case _:
            assert_never(failure)
