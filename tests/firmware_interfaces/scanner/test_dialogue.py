from firmware_interfaces.scanner.dialogue import (
    ASK_LOST_MS,
    ASK_MS,
    ATTEMPTS_COUNT_MAX,
    REPLY_MS_MAX,
    Dialogue,
    Reply,
    Step,
)
from tests.firmware_interfaces.worlds import at_ms

FIRST = Step("first", b"1", b"yes")
SECOND = Step("second", b"2")
HEARTBEAT = Step("there?", b"?")


def started(*steps: Step, heartbeat: Step | None = HEARTBEAT) -> Dialogue:
    one = Dialogue(steps, heartbeat)
    one.start(at_ms(0))
    return one


def test_steps_are_asked_one_at_a_time_and_then_the_heartbeat_now_and_then() -> None:
    one = started(FIRST, SECOND)
    asked = [one.bytes_to_send()]
    for reply in (b"yes", b"anything", b"anything"):
        one.heard(Reply(reply), at_ms(10))
        asked.append(one.bytes_to_send())
    assert asked == [b"1", b"2", b"", b""]
    assert one.is_answered
    assert one.deadline_ns() == at_ms(10 + ASK_MS).mono_ns
    one.heard(None, at_ms(1_000))  # a code shows just as well that it is there
    one.time_passed(at_ms(10 + ASK_MS))
    assert one.bytes_to_send() == b""
    one.time_passed(at_ms(1_000 + ASK_MS))
    assert one.bytes_to_send() == b"?"


def test_what_a_scanner_does_not_take_is_named_and_passed_over() -> None:
    one = started(FIRST, heartbeat=None)
    for _ in range(ATTEMPTS_COUNT_MAX):
        assert one.bytes_to_send() == b"1"
        one.heard(Reply(b"no"), at_ms(1))
    assert one.failed == ["first"]
    assert one.bytes_to_send() == b""
    assert one.deadline_ns() is None


def test_a_silent_scanner_is_asked_from_the_start_again() -> None:
    one = started(FIRST)
    now_ms = 0
    for _ in range(ATTEMPTS_COUNT_MAX):
        assert one.bytes_to_send() == b"1"
        assert not one.is_silent
        now_ms += REPLY_MS_MAX
        one.time_passed(at_ms(now_ms))
    assert one.is_silent
    assert one.bytes_to_send() == b""
    one.time_passed(at_ms(now_ms + ASK_LOST_MS))
    assert one.bytes_to_send() == b"1"
    one.heard(Reply(b"yes"), at_ms(now_ms + ASK_LOST_MS))
    assert (one.is_answered, one.is_silent) == (True, False)


def test_nothing_is_asked_after_a_stop() -> None:
    one = started(FIRST)
    one.stop()
    assert (one.bytes_to_send(), one.deadline_ns(), one.is_answered) == (b"", None, False)
    one.heard(Reply(b"late"), at_ms(1))
    one.time_passed(at_ms(60_000))
    assert one.bytes_to_send() == b""
