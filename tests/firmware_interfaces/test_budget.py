from firmware_interfaces.budget import (
    BYTES_BURST_MAX,
    BYTES_PER_S_MAX,
    OBSERVATIONS_BURST_MAX,
    OBSERVATIONS_PER_S_MAX,
    Allowance,
    Budget,
)
from tests.firmware_interfaces.worlds import at_ms


def test_an_allowance_is_spent_and_fills_again() -> None:
    allowance = Allowance(per_s=100, burst_max=50)
    assert allowance.spend(50, at_ms(0))
    assert not allowance.spend(1, at_ms(0))
    assert not allowance.spend(11, at_ms(100))
    assert allowance.spend(10, at_ms(100))
    assert not allowance.spend(51, at_ms(60_000))
    assert allowance.spend(50, at_ms(60_000))


def test_a_full_serial_line_is_never_a_flood() -> None:
    budget = Budget()
    per_ms_at_115_200_baud = 12
    assert all(budget.has_room(per_ms_at_115_200_baud, at_ms(ms)) for ms in range(60_000))


def test_a_line_that_talks_faster_than_any_device_is_one() -> None:
    budget = Budget()
    twice = BYTES_PER_S_MAX * 2 // 100
    rooms = [budget.has_room(twice, at_ms(10 * tick)) for tick in range(1_000)]
    assert not all(rooms)
    spent = twice * sum(rooms)
    assert BYTES_PER_S_MAX * 10 - twice <= spent <= BYTES_BURST_MAX + BYTES_PER_S_MAX * 10


def test_a_board_may_tell_its_whole_memory_and_a_chatterer_may_not() -> None:
    budget = Budget()
    assert all(budget.may_say(1, at_ms(0)) for _ in range(10_000))
    chatter = [budget.may_say(OBSERVATIONS_PER_S_MAX, at_ms(500 * tick)) for tick in range(1, 200)]
    assert not all(chatter)
    assert chatter.count(True) * OBSERVATIONS_PER_S_MAX <= OBSERVATIONS_BURST_MAX + 100 * 256
