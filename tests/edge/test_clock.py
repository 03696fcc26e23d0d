"""The box says how far its time may be wrong, and never less."""

from pathlib import Path

import pytest

from agreed.anchors import AnchorSource
from agreed.limits import WALL_MS_MAX
from agreed.machine import NS_PER_MS, NS_PER_S, Moment, SimulatedDay
from agreed.promises import NO_CLOCK
from agreed.records import ClockState
from agreed.timex import Discipline
from agreed.words import RemedyError
from edge.clock import (
    NEAR_NS,
    NEAR_STEP_NS,
    SIMULATED_BOUND_MS,
    BoxClock,
    ClockMemory,
    Stamp,
    kernel_discipline,
    make_clock,
    parse_memory,
    read_battery,
    timeline_id,
)

NOON_NS = 1_795_000_000 * NS_PER_S
SYNCED = Discipline(is_synced=True, error_us_max=2_500)
FREE = Discipline(is_synced=False, error_us_max=16_000_000)


class Kernel:
    def __init__(self, says: Discipline) -> None:
        self.says = says
        self.asked = 0

    def __call__(self) -> Discipline:
        self.asked += 1
        return self.says


def test_a_steered_clock_is_bounded_by_the_kernels_error() -> None:
    clock = BoxClock(kernel=Kernel(SYNCED), machine_boot="a")
    stamp = clock.stamp(Moment(NOON_NS, 5))
    assert stamp == Stamp(5, NOON_NS // NS_PER_MS, 4, ClockState.SYNCED)


def test_the_kernel_is_not_asked_for_every_record_of_one_burst() -> None:
    kernel = Kernel(SYNCED)
    clock = BoxClock(kernel=kernel, machine_boot="a")
    first = clock.stamp(Moment(NOON_NS, 0))
    burst = [clock.stamp(Moment(NOON_NS + after_ns, after_ns)) for after_ns in range(0, 10**6, 50)]
    assert kernel.asked == 1
    assert all(first.bound_ms <= stamp.bound_ms <= first.bound_ms + 1 for stamp in burst)
    assert burst[-1] == Stamp(999_950, NOON_NS // NS_PER_MS, 4, ClockState.SYNCED)
    clock.stamp(Moment(NOON_NS + NEAR_NS, NEAR_NS))
    assert kernel.asked == 2


@pytest.mark.parametrize("moved_ns", [-50_001, 50_001, 8 * 3_600 * NS_PER_S, -NOON_NS])
def test_a_clock_that_is_set_within_a_burst_is_noticed(moved_ns: int) -> None:
    kernel = Kernel(SYNCED)
    clock = BoxClock(kernel=kernel, machine_boot="a")
    clock.stamp(Moment(NOON_NS, 0))
    kernel.says = FREE
    moved = clock.stamp(Moment(NOON_NS + 10_000 + moved_ns, 10_000))
    assert (moved.wall_ms, moved.clock_state) == (NOON_NS // NS_PER_MS, ClockState.HOLDING)
    assert kernel.asked == 2


@pytest.mark.parametrize("error_us", [0, 999, 1_000, 1_001, 2_500])
def test_a_bound_within_a_burst_covers_what_the_clock_moved_unnoticed(error_us: int) -> None:
    kernel = Kernel(Discipline(is_synced=True, error_us_max=error_us))
    for moved_ns in (-NEAR_STEP_NS, 0, NEAR_STEP_NS):
        clock = BoxClock(kernel=kernel, machine_boot="a")
        clock.stamp(Moment(NOON_NS, 0))
        stamp = clock.stamp(Moment(NOON_NS + 900_000 + moved_ns, 900_000))
        for error_ns in (-error_us * 1_000, error_us * 1_000):
            true_ns = NOON_NS + error_ns + 900_000
            assert abs(true_ns - stamp.wall_ms * NS_PER_MS) <= stamp.bound_ms * NS_PER_MS


def test_headquarters_word_is_weighed_before_the_next_record() -> None:
    kernel = Kernel(SYNCED)
    clock = BoxClock(kernel=kernel, machine_boot="a")
    clock.stamp(Moment(NOON_NS, 0))
    clock.told(0, NOON_NS + 3_600 * NS_PER_S, NS_PER_MS, 100)
    clock.stamp(Moment(NOON_NS + 200, 200))
    assert kernel.asked == 2


def test_a_free_clock_drifts_from_when_it_was_right() -> None:
    kernel = Kernel(SYNCED)
    clock = BoxClock(kernel=kernel, machine_boot="a")
    clock.stamp(Moment(NOON_NS, 0))
    kernel.says = FREE
    hour_ns = 3_600 * NS_PER_S
    stamp = clock.stamp(Moment(NOON_NS + hour_ns, hour_ns))
    assert stamp.clock_state is ClockState.HOLDING
    assert stamp.bound_ms == 3 + 1_800


@pytest.mark.parametrize("moved_ns", [-900_000_001, 8 * 3_600 * NS_PER_S, -NOON_NS])
def test_a_wall_clock_that_somebody_moves_moves_no_record(moved_ns: int) -> None:
    kernel = Kernel(SYNCED)
    clock = BoxClock(kernel=kernel, machine_boot="a")
    clock.stamp(Moment(NOON_NS, 0))
    kernel.says = FREE
    moved = clock.stamp(Moment(NOON_NS + NS_PER_S + moved_ns, NS_PER_S))
    assert moved == Stamp(NS_PER_S, NOON_NS // NS_PER_MS + 1_000, 4, ClockState.HOLDING)


def test_a_restart_of_the_box_remembers_and_a_restart_of_the_machine_does_not() -> None:
    clock = BoxClock(kernel=Kernel(SYNCED), machine_boot="a")
    clock.stamp(Moment(NOON_NS, 0))
    memory = parse_memory(str(clock.memory))
    assert memory == clock.memory
    later = Moment(NOON_NS + NS_PER_S, NS_PER_S)
    again = BoxClock(memory, kernel=Kernel(FREE), machine_boot="a")
    assert again.stamp(later).clock_state is ClockState.HOLDING
    other = BoxClock(memory, kernel=Kernel(FREE), machine_boot="b")
    assert other.stamp(later).clock_state is ClockState.UNSET


@pytest.mark.parametrize("wall_ns", [0, 10**18, NOON_NS - 3_600 * NS_PER_S])
def test_a_clock_before_the_floor_was_never_set(wall_ns: int) -> None:
    memory = ClockMemory(floor_ms=NOON_NS // NS_PER_MS)
    clock = BoxClock(memory, kernel=Kernel(SYNCED), machine_boot="a")
    stamp = clock.stamp(Moment(wall_ns, 0))
    assert (stamp.clock_state, stamp.bound_ms) == (ClockState.UNSET, NO_CLOCK)
    assert (stamp.earliest_ms, stamp.latest_ms) == (0, WALL_MS_MAX)


@pytest.mark.parametrize("text", ["", "x", "1 2 3", "a b c d e"])
def test_an_unreadable_memory_is_no_memory(text: str) -> None:
    assert parse_memory(text) == ClockMemory()


def test_no_memory_survives_being_written() -> None:
    assert parse_memory(str(ClockMemory())) == ClockMemory()


def test_a_simulated_day_runs_fast_and_drifts_while_the_link_is_down() -> None:
    clock = BoxClock(day=SimulatedDay(NOON_NS, 0, 720))
    at = clock.moment()
    stamp = clock.stamp(at)
    assert (stamp.bound_ms, stamp.clock_state) == (SIMULATED_BOUND_MS, ClockState.SYNCED)
    assert stamp.mono_ns == at.mono_ns * 720
    assert clock.real_s(720) == 1
    clock.link_changed(is_up=False)
    later = clock.stamp(Moment(0, clock.moment().mono_ns + 10 * NS_PER_S))
    assert later.clock_state is ClockState.HOLDING
    assert 3_600 <= later.bound_ms - SIMULATED_BOUND_MS < 3_700
    clock.link_changed(is_up=True)
    assert clock.now().bound_ms == SIMULATED_BOUND_MS


def test_the_real_clocks_can_be_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DUIFU_SIMULATED_DAY", raising=False)
    clock = make_clock(ClockMemory())
    assert clock.now().mono_ns <= clock.now().mono_ns
    assert clock.real_s(3) == 3
    assert kernel_discipline().error_us_max >= 0


def test_a_wrong_simulated_day_is_said_in_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DUIFU_SIMULATED_DAY", "1:2:0")
    with pytest.raises(RemedyError, match="DUIFU_SIMULATED_DAY"):
        make_clock(ClockMemory())
    monkeypatch.setenv("DUIFU_SIMULATED_DAY", f"{NOON_NS}:0:60")
    assert make_clock(ClockMemory()).real_s(60) == 1


def test_headquarters_gives_a_box_of_1970_its_time() -> None:
    clock = BoxClock(kernel=Kernel(FREE), machine_boot="a")
    assert clock.stamp(Moment(0, NS_PER_S)).clock_state is ClockState.UNSET
    asked_ns, heard_ns = 2 * NS_PER_S, 2 * NS_PER_S + 80 * NS_PER_MS
    assert clock.is_time_wanted(asked_ns)
    clock.told(asked_ns, NOON_NS, 5 * NS_PER_MS, heard_ns)
    stamp = clock.stamp(Moment(0, heard_ns))
    assert stamp.clock_state is ClockState.HOLDING
    assert stamp.earliest_ms <= NOON_NS // NS_PER_MS <= stamp.latest_ms
    assert stamp.bound_ms == 46
    (anchor,) = clock.anchors_to_journal()
    assert (anchor.source, anchor.mono_ns) == (AnchorSource.HEADQUARTERS, heard_ns)


def test_headquarters_is_asked_soon_while_nobody_has_said_and_seldom_after() -> None:
    clock = BoxClock(kernel=Kernel(FREE), machine_boot="a")
    assert [clock.is_time_wanted(at * NS_PER_S) for at in (0, 29, 30, 31)] == [
        True,
        False,
        True,
        False,
    ]
    clock.told(0, NOON_NS, 0, NS_PER_S)
    assert [clock.is_time_wanted(at * NS_PER_S) for at in (60, 629, 630)] == [False, False, True]
    in_a_day = BoxClock(day=SimulatedDay(NOON_NS, 0, 720))
    assert not in_a_day.is_time_wanted(0)


def test_a_floor_that_a_false_source_left_behind_is_lowered_by_headquarters() -> None:
    kernel = Kernel(SYNCED)
    memory = ClockMemory(floor_ms=2 * NOON_NS // NS_PER_MS)
    clock = BoxClock(memory, kernel=kernel, machine_boot="b")
    assert clock.stamp(Moment(NOON_NS, 0)).clock_state is ClockState.UNSET
    clock.told(0, NOON_NS, 0, NS_PER_MS)
    assert clock.memory.floor_ms == NOON_NS // NS_PER_MS
    assert clock.stamp(Moment(NOON_NS + NS_PER_S, NS_PER_S)).clock_state is ClockState.SYNCED


def test_a_battery_counts_until_it_stood_still() -> None:
    floor_ms = NOON_NS // NS_PER_MS
    clock = BoxClock(ClockMemory(floor_ms=floor_ms), kernel=Kernel(FREE), machine_boot="b")
    clock.learn_from_battery(Moment(0, 0), 1_000_000)
    assert clock.stamp(Moment(0, 0)).clock_state is ClockState.UNSET
    day_s = 24 * 3_600
    clock.learn_from_battery(Moment(0, 0), NOON_NS // NS_PER_S + day_s)
    stamp = clock.stamp(Moment(0, 0))
    assert stamp.clock_state is ClockState.HOLDING
    assert 60_000 <= stamp.bound_ms < 80_000
    assert stamp.earliest_ms <= floor_ms + day_s * 1_000 <= stamp.latest_ms
    unknown = BoxClock(kernel=Kernel(FREE), machine_boot="b")
    unknown.learn_from_battery(Moment(0, 0), NOON_NS // NS_PER_S)
    assert unknown.stamp(Moment(0, 0)).clock_state is ClockState.UNSET


def test_a_battery_clock_is_read_where_there_is_one(tmp_path: Path) -> None:
    path = tmp_path / "since_epoch"
    assert read_battery(path) is None
    path.write_text("1795000000\n")
    assert read_battery(path) == 1_795_000_000
    path.write_text("?")
    assert read_battery(path) is None


def test_the_processes_of_a_boot_share_its_timeline(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DUIFU_SIMULATED_DAY", raising=False)
    assert timeline_id(b"1" * 16) == timeline_id(b"2" * 16)
    monkeypatch.setenv("DUIFU_SIMULATED_DAY", f"{NOON_NS}:0:60")
    assert timeline_id(b"1" * 16) == b"1" * 16
