from itertools import pairwise

from agreed.machine import NS_PER_MS
from firmware_interfaces.osdp.repeats import (
    DELAY_MS_MIN,
    REPEATS_COUNT_MAX,
    SILENCE_MS,
    WITHIN_MS,
    Repeats,
)

COMMAND = bytes(10)  # 1 ms at 100,000 baud
BAUD = 100_000


def ns(ms: float) -> int:
    return int(ms * NS_PER_MS)


def known(delay_ms: float = 2) -> Repeats:
    """A reader that answered once, so late."""
    repeats = Repeats(BAUD)
    repeats.sent(COMMAND, 5, 0)
    repeats.answered(10, ns(2 + delay_ms))
    assert repeats.due_ns() is None
    return repeats


def test_a_reader_that_never_answered_is_given_its_time() -> None:
    repeats = Repeats(BAUD)
    repeats.sent(COMMAND, 5, 0)
    assert repeats.due_ns() is None
    assert repeats.repeat(ns(999)) == b""


def test_no_answer_is_asked_for_again_after_the_readers_own_delay() -> None:
    for delay_ms, due_ms in ((2, 1 + DELAY_MS_MIN), (20, 1 + 3 * 20)):
        repeats = known(delay_ms)
        repeats.sent(COMMAND, 5, ns(100))
        assert repeats.due_ns() == ns(100 + due_ms)
        assert repeats.repeat(ns(100 + due_ms) - 1) == b""
        assert repeats.repeat(ns(100 + due_ms)) == COMMAND
        assert repeats.repeated_count == 1


def test_a_spoiled_answer_is_asked_for_again_after_silence() -> None:
    repeats = known()
    repeats.sent(COMMAND, 5, ns(100))
    for ms in (105, 110, 125):
        repeats.heard(ns(ms))
    assert repeats.due_ns() == ns(125 + SILENCE_MS)


def test_repetitions_end_before_libosdp_gives_up() -> None:
    repeats = known()
    repeats.sent(COMMAND, 5, 0)
    sent = [ms for ms in range(500) if repeats.repeat(ns(ms))]
    assert 1 <= len(sent) <= REPEATS_COUNT_MAX
    assert max(sent) <= WITHIN_MS
    assert min(b - a for a, b in pairwise(sent)) >= DELAY_MS_MIN


def test_a_slow_reader_is_not_interrupted() -> None:
    repeats = known(delay_ms=70)
    repeats.sent(COMMAND, 5, 0)
    assert repeats.due_ns() is None


def test_an_answer_without_a_command_teaches_nothing() -> None:
    repeats = Repeats(BAUD)
    repeats.answered(10, ns(5))
    repeats.sent(COMMAND, 5, ns(10))
    assert repeats.due_ns() is None


def test_one_slow_answer_is_not_for_ever() -> None:
    repeats = known(delay_ms=70)
    for _ in range(60):
        repeats.sent(COMMAND, 5, 0)
        repeats.answered(10, ns(3))
    repeats.sent(COMMAND, 5, 0)
    assert repeats.due_ns() == ns(1 + DELAY_MS_MIN)
