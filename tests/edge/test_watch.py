"""The box knows what is promised, kept and at risk, without headquarters."""

from agreed.directives import EndOrder
from agreed.limits import WALL_MS_MAX
from agreed.records import TASK_FINISHED, ClockState, Evidence, Record, to_columns
from edge.clock import Stamp
from edge.watch import WAITING_DIRECTIVES_MAX, WAITING_RECORDS_MAX, Watch
from tests.edge.stand_in import credential, order

NOW = Stamp(0, 1_000, 1, ClockState.SYNCED)
UNSET = Stamp(0, WALL_MS_MAX, 0, ClockState.UNSET)


def finished(sequence: int, name: str) -> Record:
    return Record(
        sequence, 0, 900, 1, ClockState.SYNCED, Evidence.KIOSK, "kiosk", TASK_FINISHED, "r", name
    )


def test_records_and_promises_meet_at_the_tick() -> None:
    watch = Watch()
    watch.learn([credential(), order("o-1"), order("o-2")])
    watch.journaled([to_columns([finished(n, name)]) for n, name in ((1, "o-1"), (2, "o-8"))])
    watch.journaled([to_columns([finished(5, "o-9")])])
    watch.tick(NOW)
    assert (watch.counts["kept"], watch.counts["open"]) == (1, 1)
    watch.learn([EndOrder(order="o-2")])
    watch.tick(NOW)
    assert (watch.counts["kept"], watch.counts["open"], watch.at_risk) == (1, 0, 0)


def test_the_oldest_records_are_skipped_when_too_many_wait() -> None:
    watch = Watch()
    watch.learn([credential(), order("o-1"), order("o-2")])
    watch.journaled([to_columns([finished(1, "o-1")])])
    many = [finished(2 + i, "o-9") for i in range(WAITING_RECORDS_MAX - 1)]
    watch.journaled([to_columns(many), to_columns([finished(WAITING_RECORDS_MAX + 1, "o-2")])])
    watch.tick(NOW)
    assert (watch.counts["kept"], watch.counts["open"]) == (1, 1)


def test_an_unset_clock_lets_no_deadline_fall_due() -> None:
    watch = Watch()
    watch.learn([order("o-1")])
    watch.tick(UNSET)
    assert watch.counts["open"] == 1
    watch.tick(Stamp(0, WALL_MS_MAX, 0, ClockState.SYNCED))
    assert watch.counts["missed"] == 1


def test_everything_can_be_forgotten() -> None:
    watch = Watch()
    watch.learn([order("o-1")])
    watch.forget_all()
    watch.learn([order("o-2")])
    watch.tick(NOW)
    assert watch.counts["open"] == 1


def test_it_says_when_it_is_behind() -> None:
    watch = Watch()
    watch.learn([order("o-1")] * WAITING_DIRECTIVES_MAX)
    assert watch.is_behind
    watch.tick(NOW)
    assert not watch.is_behind
