"""Breaks, one at a time and on a copy, each line that a guarantee rests on: the named test must fail for it.

    make mutations-consumer
    make mutations-consumer ARGS="segments/put.py budget"

Arguments choose those whose sentence or module has one of them. The target starts the object store that one of the
tests needs. Exits with 1 when a mutant survives, and when a mutation no longer fits the code or its test does not pass
without it.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Final, NamedTuple

ROOT: Final = Path(__file__).parents[3]
SOURCES: Final = {
    "cdc_consumer": ROOT / "services" / "cdc-consumer" / "src",
    "bank_common": ROOT / "libs" / "bank_common" / "src",
}
TESTS: Final = {
    "cdc_consumer": ROOT / "services" / "cdc-consumer" / "tests" / "unit",
    "bank_common": ROOT / "libs" / "bank_common" / "tests" / "unit" / "envelope",
}


class Mutation(NamedTuple):
    """`old` becomes `new` in a module; `test` is a file, seen from its package's folder in TESTS, and a test in it."""

    says: str
    module: str
    old: str
    new: str
    test: str


MUTATIONS: Final = (
    Mutation(
        "the offset is committed before the segment is stored",
        "cdc_consumer/consume/flusher.py",
        "        outcome: PutAnswer | Failure\n",
        '        landed = Commit(assigned.topic_partition, batch.end, metadata="")\n'
        "        commits[assigned.topic_partition] = landed\n"
        "        outcome: PutAnswer | Failure\n",
        "consume/test_loop.py::test_nothing_is_committed_while_the_store_fails",
    ),
    Mutation(
        "a segment costs nothing of the budget",
        "cdc_consumer/consume/flusher.py",
        "                self._budget.spend(1, self._clock())\n",
        "",
        "consume/test_loop.py::test_segments_beyond_the_budget_wait_and_get_larger",
    ),
    Mutation(
        "the segment is stored before its dead letters are acknowledged",
        "cdc_consumer/segments/writer.py",
        "        self._reject(batch, decoded)\n        traceparent",
        "        append(self._store, encode(batch, decoded, topic_id, None))\n"
        "        self._reject(batch, decoded)\n        traceparent",
        "consume/test_poisoned_records.py::test_a_dead_letter_is_acknowledged_before_its_segment_is_stored",
    ),
    Mutation(
        "a lost race is ignored",
        "cdc_consumer/consume/flusher.py",
        "            case Decision.LOST_RACE:\n                self._writer.forget(assigned.topic_partition)\n"
        "                assigned.buffer = None\n",
        "            case Decision.LOST_RACE:\n                buffer.stored()\n",
        "consume/test_loop.py::test_losing_the_race_drops_the_buffer_and_reads_from_the_new_tail",
    ),
    Mutation(
        "a segment may replace another one of its name",
        "cdc_consumer/adapters/object_store.py",
        'mode="create", use_multipart',
        'mode="overwrite", use_multipart',
        "../contract/test_object_store.py::TestRealStore::test_create_never_overwrites",
    ),
    Mutation(
        "an object of the same name is taken for ours",
        "cdc_consumer/segments/put.py",
        "return PutAnswer.HOLDS_SAME if same else PutAnswer.HOLDS_OTHER",
        "return PutAnswer.HOLDS_SAME",
        "segments/test_put.py::test_what_the_store_holds_is_told_by_its_bytes_and_its_range",
    ),
    Mutation(
        "a segment of the same bytes and another range is taken for ours",
        "cdc_consumer/segments/put.py",
        "same_bytes and metadata.end == segment.metadata.end",
        "same_bytes",
        "segments/test_put.py::test_what_the_store_holds_is_told_by_its_bytes_and_its_range",
    ),
    Mutation(
        "another member's segment counts as ours",
        "cdc_consumer/segments/put.py",
        "        case PutAnswer.HOLDS_OTHER:\n"
        "            # Another member's: its range may be shorter or longer than ours.\n"
        "            return Decision.LOST_RACE\n",
        "        case PutAnswer.HOLDS_OTHER:\n            return Decision.STORED\n",
        "segments/test_put.py::test_each_outcome_has_its_decision",
    ),
    Mutation(
        "an object that is no segment counts as ours",
        "cdc_consumer/segments/put.py",
        "and who looks for the tail halts and names it.\n            return Decision.LOST_RACE\n",
        "and who looks for the tail halts and names it.\n            return Decision.STORED\n",
        "segments/test_put.py::test_each_outcome_has_its_decision",
    ),
    Mutation(
        "an unknown outcome counts as stored",
        "cdc_consumer/segments/put.py",
        "or the object is there and can't be read.\n            return Decision.KEEP\n",
        "or the object is there and can't be read.\n            return Decision.STORED\n",
        "consume/test_loop.py::test_nothing_is_committed_while_the_store_fails",
    ),
    Mutation(
        "a segment whose PUT was refused is given up",
        "cdc_consumer/segments/put.py",
        "but perhaps by one before it.\n            return Decision.KEEP\n",
        "but perhaps by one before it.\n            return Decision.NOT_STORED\n",
        "segments/test_put.py::test_each_outcome_has_its_decision",
    ),
    Mutation(
        "a batch that must not be stored counts as stored",
        "cdc_consumer/segments/put.py",
        "            # Found before the PUT.\n            return Decision.NOT_STORED\n",
        "            # Found before the PUT.\n            return Decision.STORED\n",
        "segments/test_put.py::test_each_outcome_has_its_decision",
    ),
    Mutation(
        "a PUT without an answer counts as stored",
        "cdc_consumer/segments/writer.py",
        "            answer = append(self._store, segment)\n",
        "            answer = PutAnswer.CREATED\n"
        "            with __import__('contextlib').suppress(FailedError):\n"
        "                answer = append(self._store, segment)\n",
        "consume/test_loop.py::test_nothing_is_committed_while_the_store_fails",
    ),
    Mutation(
        "a dead letter that was not acknowledged is dropped",
        "cdc_consumer/segments/writer.py",
        "            self._dead_letters.send(dead_letters)\n",
        "            with __import__('contextlib').suppress(FailedError):\n"
        "                self._dead_letters.send(dead_letters)\n",
        "consume/test_poisoned_records.py::test_a_dead_letter_is_acknowledged_before_its_segment_is_stored",
    ),
    Mutation(
        "a run of poison does not halt",
        "cdc_consumer/model/dead_letter_limit.py",
        "if longest > self._limits.max_run:",
        "if False:",
        "consume/test_poisoned_records.py::test_a_run_of_poison_halts_and_nothing_of_it_is_lost",
    ),
    Mutation(
        "rejected offsets are not told",
        "cdc_consumer/segments/segment.py",
        "rejected=len(rejected),",
        "rejected=0,",
        "segments/test_segment.py::test_rejected_offsets_are_in_the_footer_and_counted",
    ),
    Mutation(
        "a record need not end where its bytes end",
        "bank_common/envelope/columnar/changes.py",
        "lanes.bad | (lanes.at != block.ends)",
        "lanes.bad",
        "test_decoders.py::test_neighbours_that_are_too_long_and_too_short_do_not_mend_each_other",
    ),
    Mutation(
        "a BEGIN or END need not end where its bytes end",
        "bank_common/envelope/columnar/transactions.py",
        "lanes.bad | (lanes.at != block.ends)",
        "lanes.bad",
        "test_transactions.py::test_a_batch_of_many_slices_keeps_its_order_and_names_the_poison",
    ),
    Mutation(
        "a list of collections need not end after its block",
        "bank_common/envelope/columnar/readers.py",
        "        part.bad |= part.octet() != 0\n",
        "",
        "test_transactions.py::test_collections_of_another_form_are_refused_alone",
    ),
    Mutation(
        "a decimal of too many digits is carried",
        "bank_common/envelope/columnar/arrays.py",
        "        self._bound(column, words, data.valid)\n",
        "",
        "test_decoders.py::test_a_decimal_of_too_many_digits_is_refused_and_its_neighbours_are_read",
    ),
    Mutation(
        "a delete takes what is left in the row",
        "bank_common/envelope/columnar/changes.py",
        "        self._put_keys(columns, arrays, np.flatnonzero(operations == _DELETE), keys, decoders)\n",
        "",
        "test_decoders.py::test_any_schema_and_any_values",
    ),
    Mutation(
        "a segment starts after a hole",
        "cdc_consumer/model/partition_buffer.py",
        "        self._open = _OpenBatch(self._end)\n\n    def _append",
        "        self._open = _OpenBatch(self._end + 1)\n\n    def _append",
        "model/test_partition_buffer.py::test_batches_meet_and_hold_each_record_once",
    ),
    Mutation(
        "a position past the tail skips records that are read and not stored",
        "cdc_consumer/consume/assignment.py",
        "            and self.buffer.start == self.buffer.end\n",
        "",
        "consume/test_assignment.py::test_a_record_that_is_not_in_the_chain_keeps_the_position_at_the_tail",
    ),
    Mutation(
        "an end of the log from before a lost race counts",
        "cdc_consumer/consume/assignment.py",
        "            and self.caught_up\n",
        "",
        "consume/test_assignment.py::test_an_end_that_was_reached_before_a_race_was_lost_is_none_of_the_new_position",
    ),
)


def passes(source: Path, mutation: Mutation) -> bool:
    """Whether the mutation's test passes with the packages below `source`."""
    test = TESTS[mutation.module.partition("/")[0]] / mutation.test
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", str(test)],
        env={**os.environ, "PYTHONPATH": str(source)},
        capture_output=True,
        check=False,
        timeout=600,
    )
    return done.returncode == 0


def verdict(mutation: Mutation, source: Path) -> str | None:
    """What is wrong, or None when the mutant was killed by its test."""
    module = source / mutation.module
    text = module.read_text(encoding="utf-8")
    if text.count(mutation.old) != 1:
        return f"its line stands {text.count(mutation.old)} times in {mutation.module}"
    if not passes(source, mutation):
        return f"{mutation.test} fails without it"
    module.write_text(text.replace(mutation.old, mutation.new), encoding="utf-8")
    try:
        return f"{mutation.test} does not notice" if passes(source, mutation) else None
    finally:
        module.write_text(text, encoding="utf-8")


def main() -> int:
    """Try them."""
    parser = argparse.ArgumentParser(description="Break each line that a guarantee rests on; a named test must fail.")
    parser.add_argument("chosen", nargs="*", metavar="TEXT", help="part of a mutation's sentence or module")
    texts = parser.parse_args().chosen or [""]
    mutations = [
        mutation for mutation in MUTATIONS if any(text in f"{mutation.says} {mutation.module}" for text in texts)
    ]
    if not mutations:
        parser.error("no mutation has that in its sentence or module")
    problems = 0
    with tempfile.TemporaryDirectory(prefix="mutants-") as folder:
        source = Path(folder)
        for package, folder_of_package in SOURCES.items():
            shutil.copytree(folder_of_package / package, source / package)
        for mutation in mutations:
            problem = verdict(mutation, source)
            problems += problem is not None
            sys.stdout.write(f"{'killed' if problem is None else 'ALIVE '}  {mutation.says}")
            sys.stdout.write(f": {problem}\n" if problem else "\n")
            sys.stdout.flush()
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
