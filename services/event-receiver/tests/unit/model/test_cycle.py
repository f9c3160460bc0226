from dataclasses import replace

from event_receiver.model.cycle import DagRun, DagRuns, Durations, Stage, cycle_seconds, durations, stage

HANDOVER = 3.0


def done(run_id: str, queued: float, started: float, ended: float) -> DagRun:
    return DagRun(run_id, "success", queued, started, ended)


def runs(now: float, loads: list[DagRun], builds: list[DagRun]) -> DagRuns:
    return DagRuns(now, tuple(reversed(loads)), tuple(reversed(builds)))


LOAD = done("l1", 100, 101, 103)
BUILD = done("b1", 104, 105, 109)


def test_a_cycle_is_followed_from_the_load_s_queue_to_the_build_s_end() -> None:
    assert stage(runs(100, [DagRun("l1", "queued", 100)], []), HANDOVER) is Stage.LOADING
    assert stage(runs(102, [DagRun("l1", "running", 100, 101)], []), HANDOVER) is Stage.LOADING
    assert stage(runs(103.5, [LOAD], []), HANDOVER) is Stage.HANDOVER
    assert stage(runs(104, [LOAD], [DagRun("b1", "queued", 104)]), HANDOVER) is Stage.BUILDING
    assert stage(runs(108, [LOAD], [DagRun("b1", "running", 104, 105)]), HANDOVER) is Stage.BUILDING
    assert stage(runs(109, [LOAD], [BUILD]), HANDOVER) is Stage.OVER


def test_a_load_that_asks_for_no_build_is_over_a_little_later() -> None:
    assert stage(runs(105.9, [LOAD], []), HANDOVER) is Stage.HANDOVER
    assert stage(runs(106, [LOAD], []), HANDOVER) is Stage.OVER


def test_a_failed_load_is_followed_by_no_build() -> None:
    assert stage(runs(103, [DagRun("l1", "failed", 100, 101, 103)], []), HANDOVER) is Stage.OVER
    assert stage(runs(103, [], []), HANDOVER) is Stage.OVER


def test_a_build_that_another_one_held_up_is_waited_for() -> None:
    held_up = done("l2", 105, 105.5, 106)
    assert stage(runs(110, [LOAD, held_up], [BUILD]), HANDOVER) is Stage.HANDOVER
    assert stage(runs(112, [LOAD, held_up], [BUILD]), HANDOVER) is Stage.OVER
    assert stage(runs(110, [LOAD, held_up], [BUILD, DagRun("b2", "queued", 110)]), HANDOVER) is Stage.BUILDING


def test_a_sweep_holds_the_next_load_up_only_while_it_runs() -> None:
    sweep = DagRun("scheduled__1", "running", 110, 110.5, sweep=True)
    assert stage(runs(111, [LOAD, sweep], [BUILD]), HANDOVER) is Stage.LOADING
    assert stage(runs(111, [LOAD, replace(sweep, state="success", ended=111)], [BUILD]), HANDOVER) is Stage.OVER
    assert stage(runs(111, [replace(sweep, state="success", ended=111)], []), HANDOVER) is Stage.OVER


def test_a_build_after_a_sweep_tells_nothing_of_cycles() -> None:
    sweep = replace(done("scheduled__1", 110, 111, 112), sweep=True)
    assert durations(runs(120, [LOAD, sweep], [BUILD, done("b2", 113, 114, 119)])) == (Durations(3, 5, 9),)


def test_durations_go_from_queueing_to_success_and_leave_out_what_failed() -> None:
    loads = [LOAD, done("l2", 110, 111, 112)]
    builds = [BUILD, DagRun("b2", "failed", 113, 114, 115)]
    assert durations(runs(120, loads, builds)) == (Durations(3, 5, 9),)
    assert durations(runs(120, loads, [])) == ()


def test_one_slow_cycle_does_not_set_the_pace() -> None:
    assert cycle_seconds(()) is None
    assert cycle_seconds((Durations(1, 90, 92), Durations(1, 3, 5), Durations(1, 4, 6))) == 6
