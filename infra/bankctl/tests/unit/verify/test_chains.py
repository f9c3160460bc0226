"""Gaps, overlaps and foreign objects of a landing are found, whatever order a listing has."""

from collections.abc import Mapping

from bank_common.landing.segments import SegmentKey, SegmentMetadata
from bankctl.commands.chain import document
from bankctl.verify.chains import LandingListing, inspect

TOPIC = "bank.public.accounts"


def _entry(start: int, end: int, *, partition: int = 0, topic_id: str = "one") -> tuple[str, Mapping[str, str]]:
    metadata = SegmentMetadata(topic_id, start, end, end - start, 0, 1, "0" * 64)
    return str(SegmentKey(TOPIC, partition, start)), metadata.to_headers()


def _inspect(*entries: tuple[str, Mapping[str, str]]) -> LandingListing:
    return inspect(entries)


def test_neighbours_that_meet_are_a_whole_chain() -> None:
    landing = _inspect(_entry(10, 1_000_005), _entry(0, 10), _entry(1_000_005, 1_000_006))
    assert landing.problems == ()
    (chain,) = landing.chains
    assert (chain.start, chain.end, chain.rows, len(chain.segments)) == (0, 1_000_006, 1_000_006, 3)
    assert landing.rows == 1_000_006


def test_a_gap_and_an_overlap_are_named_with_their_offsets() -> None:
    landing = _inspect(_entry(0, 10), _entry(12, 20), _entry(18, 30))
    assert landing.problems == (f"{TOPIC}/0: gap between 10 and 12", f"{TOPIC}/0: overlap between 20 and 18")
    assert [broken["kind"] for broken in document(landing)["chains"][0]["breaks"]] == ["gap", "overlap"]


def test_partitions_are_chains_of_their_own() -> None:
    landing = _inspect(_entry(0, 10), _entry(7, 9, partition=1))
    assert landing.problems == ()
    assert [(chain.partition, chain.start) for chain in landing.chains] == [(0, 0), (1, 7)]


def test_a_topic_made_anew_under_its_chain_is_a_problem() -> None:
    assert len(_inspect(_entry(0, 10), _entry(10, 20, topic_id="two")).problems) == 1


def test_what_is_no_segment_is_a_foreign_object() -> None:
    key, headers = _entry(5, 6)
    moved = str(SegmentKey(TOPIC, 0, 7))
    landing = _inspect(("notes.txt", {}), (key, {}), (moved, headers))
    assert [name for name, _ in landing.foreign_objects] == ["notes.txt", key, moved]
    assert landing.chains == ()
    assert len(landing.problems) == 3
