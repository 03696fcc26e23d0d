"""The box says how far its time may be wrong, and never less."""

import pytest

from agreed.limits import WALL_MS_MAX
from agreed.machine import NS_PER_MS, NS_PER_S, Moment, SimulatedDay
from agreed.promises import NO_CLOCK
from agreed.records import ClockState
from agreed.words import RemedyError
from edge.clock import (
    SIMULATED_BOUND_MS,
    BoxClock,
    ClockMemory,
    Discipline,
    Stamp,
    kernel_discipline,
    make_clock,
    parse_memory,
)

NOON_NS = 1_795_000_000 * NS_PER_S
SYNCED = Discipline(is_synced=True, error_us_max=2_500)
FREE = Discipline(is_synced=False, error_us_max=16_000_000)


class Kernel:
    def __init__(self, says: Discipline) -> None:
        self.says = says

    def __call__(self) -> Discipline:
        return self.says


def test_a_steered_clock_is_bounded_by_the_kernels_error() -> None:
    clock = BoxClock(kernel=Kernel(SYNCED), machine_boot="a")
    stamp = clock.stamp(Moment(NOON_NS, 5))
    assert stamp == Stamp(5, NOON_NS // NS_PER_MS, 4, ClockState.SYNCED)


def test_a_free_clock_drifts_from_when_it_was_right() -> None:
    kernel = Kernel(SYNCED)
    clock = BoxClock(kernel=kernel, machine_boot="a")
    clock.stamp(Moment(NOON_NS, 0))
    kernel.says = FREE
    hour_ns = 3_600 * NS_PER_S
    stamp = clock.stamp(Moment(NOON_NS + hour_ns, hour_ns))
    assert stamp.clock_state is ClockState.HOLDING
    assert stamp.bound_ms == 4 + 1_800 + 1


def test_a_step_that_hides_within_the_drift_widens_the_bound() -> None:
    kernel = Kernel(SYNCED)
    clock = BoxClock(kernel=kernel, machine_boot="a")
    clock.stamp(Moment(NOON_NS, 0))
    kernel.says = FREE
    hour_ns = 3_600 * NS_PER_S
    stamp = clock.stamp(Moment(NOON_NS + hour_ns - 900_000_001, hour_ns))
    assert stamp.clock_state is ClockState.HOLDING
    assert stamp.bound_ms == 4 + 1_800 + 1 + 901


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


def test_a_clock_that_somebody_moved_is_not_trusted() -> None:
    kernel = Kernel(SYNCED)
    clock = BoxClock(kernel=kernel, machine_boot="a")
    clock.stamp(Moment(NOON_NS, 0))
    kernel.says = FREE
    moved = clock.stamp(Moment(NOON_NS + 8 * 3_600 * NS_PER_S, NS_PER_S))
    assert moved.clock_state is ClockState.UNSET


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
