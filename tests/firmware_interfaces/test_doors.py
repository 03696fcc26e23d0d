from firmware_interfaces.doors import DoorWatch
from firmware_interfaces.observations import Observation, Seen
from tests.firmware_interfaces.worlds import at_ms


def door(*, held_s: int = 0, says_forced: bool = True) -> DoorWatch:
    return DoorWatch("gate", 3, held_s=held_s, says_forced=says_forced)


def seen(*groups: list[Observation]) -> list[Seen]:
    return [o.seen for group in groups for o in group]


def test_a_door_that_nobody_allowed_is_forced() -> None:
    (opened, forced) = door().opened(at_ms(5))
    assert (opened.seen, forced.seen) == (Seen.DOOR_OPENED, Seen.DOOR_FORCED)
    assert (forced.device, forced.part, forced.at) == ("gate", 3, at_ms(5))


def test_an_allowed_door_is_not_forced_until_its_time_is_over() -> None:
    one = door()
    one.allow(at_ms(100).mono_ns)
    one.allow(at_ms(50).mono_ns)
    assert seen(one.opened(at_ms(100))) == [Seen.DOOR_OPENED]
    other = door()
    other.allow(at_ms(100).mono_ns)
    assert len(other.opened(at_ms(101))) == 2


def test_closing_ends_what_was_allowed() -> None:
    one = door()
    one.allow(at_ms(10_000).mono_ns)
    assert seen(one.opened(at_ms(1)), one.closed(at_ms(2))) == [Seen.DOOR_OPENED, Seen.DOOR_CLOSED]
    assert Seen.DOOR_FORCED in seen(one.opened(at_ms(3)))


def test_found_open_or_not_watched_is_not_forced() -> None:
    assert seen(door().opened(at_ms(1), is_news=False)) == [Seen.DOOR_OPENED]
    assert seen(door(says_forced=False).opened(at_ms(1))) == [Seen.DOOR_OPENED]


def test_held_open_is_said_once() -> None:
    one = door(held_s=2)
    one.opened(at_ms(0))
    one.opened(at_ms(1_000), is_news=False)
    assert one.deadline_ns() == at_ms(2_000).mono_ns
    assert one.time_passed(at_ms(1_999)) == []
    (held,) = one.time_passed(at_ms(2_000))
    assert (held.seen, held.value) == (Seen.DOOR_HELD, "2")
    assert one.time_passed(at_ms(9_000)) == []
    assert one.deadline_ns() is None


def test_a_closed_or_forgotten_door_is_not_held() -> None:
    one = door(held_s=2)
    one.opened(at_ms(0))
    one.closed(at_ms(1))
    one.opened(at_ms(2))
    one.forget()
    assert one.time_passed(at_ms(9_000)) == []
