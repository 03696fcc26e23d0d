from hypothesis import given
from hypothesis import strategies as st

from firmware_interfaces.ble.nearness import Nearness, Turn, bounds
from tests.firmware_interfaces.worlds import at_ms

BOUNDS = bounds(near_dbm=-70, far_dbm=-80, away_s=30)


def near() -> Nearness:
    one = Nearness(BOUNDS)
    assert one.heard(-60, at_ms(0)) is None
    assert one.heard(-60, at_ms(1_000)) is Turn.ENTERED
    return one


def test_one_strong_reading_is_nobody() -> None:
    one = Nearness(BOUNDS)
    assert one.heard(-30, at_ms(0)) is None
    assert one.heard(-30, at_ms(31_000)) is None
    assert one.heard(-30, at_ms(32_000)) is Turn.ENTERED


def test_entered_is_said_once_and_left_after_silence() -> None:
    one = near()
    assert all(one.heard(-60, at_ms(ms)) is None for ms in range(2_000, 20_000, 1_000))
    assert one.time_passed(at_ms(48_999)) is None
    assert one.time_passed(at_ms(49_000)) is Turn.LEFT
    assert one.time_passed(at_ms(99_000)) is None


def test_between_near_and_far_nothing_changes() -> None:
    one = near()
    for ms in range(2_000, 200_000, 1_000):
        assert one.heard(-75, at_ms(ms)) is None
        assert one.time_passed(at_ms(ms)) is None
    outside = Nearness(BOUNDS)
    assert all(outside.heard(-75, at_ms(ms)) is None for ms in range(0, 200_000, 1_000))


def test_far_for_long_has_left_though_it_is_heard() -> None:
    one = near()
    turns = []
    for ms in range(2_000, 60_000, 1_000):
        turns += [one.heard(-95, at_ms(ms)), one.time_passed(at_ms(ms))]
    assert [turn for turn in turns if turn] == [Turn.LEFT]


def test_while_nobody_could_hear_nobody_left() -> None:
    one = near()
    one.listen_anew(at_ms(500_000))
    assert one.time_passed(at_ms(529_999)) is None
    assert one.time_passed(at_ms(530_000)) is Turn.LEFT


@given(st.lists(st.tuples(st.integers(1, 40_000), st.integers(-127, 20)), max_size=60))
def test_entered_and_left_alternate_whatever_is_heard(steps: list[tuple[int, int]]) -> None:
    one, turns, ms = Nearness(BOUNDS), [], 0
    for wait_ms, rssi_dbm in steps:
        ms += wait_ms
        turns += [one.time_passed(at_ms(ms)), one.heard(rssi_dbm, at_ms(ms))]
    said = [turn for turn in turns if turn is not None]
    assert said == [Turn.LEFT if n % 2 else Turn.ENTERED for n in range(len(said))]
