"""Directives go in order, again after silence, and never past what a box has applied."""

from agreed.limits import RESEND_MS_MAX
from agreed.machine import NS_PER_MS
from cloud.outbox import Cursor, Outbox, Wanted
from tests.cloud.world import BOX, STREAM

OTHER = b"o" * 16
LONG_NS = 2 * RESEND_MS_MAX * NS_PER_MS


def outbox(through: int = 5, applied: int = 0) -> Outbox:
    made = Outbox(lambda: 0.0)
    made.know({BOX: Cursor(STREAM, through, applied)}, 0)
    return made


def test_what_is_there_is_sent_in_order() -> None:
    box = outbox()
    first = Wanted(BOX, STREAM, 0)
    assert box.wanted() == [first]
    box.sent(first, 3, 100, 0)
    assert box.wanted() == [Wanted(BOX, STREAM, 3)]
    box.sent(Wanted(BOX, STREAM, 3), 5, 100, 0)
    assert box.wanted() == []
    box.applied(BOX, STREAM, 5, 0)
    assert box.deadline_ns() is None


def test_silence_sends_again() -> None:
    box = outbox()
    box.sent(Wanted(BOX, STREAM, 0), 5, 100, 0)
    assert box.deadline_ns() is not None
    box.time_passed(LONG_NS)
    assert box.wanted() == [Wanted(BOX, STREAM, 0)]


def test_a_greeting_goes_back_to_what_was_applied() -> None:
    box = outbox(applied=4)
    assert box.wanted() == [Wanted(BOX, STREAM, 4)]
    box.welcomed(BOX, STREAM, 2, 0)
    assert box.wanted() == [Wanted(BOX, STREAM, 2)]


def test_a_new_stream_begins_at_the_beginning() -> None:
    box = outbox(applied=5)
    assert box.wanted() == []
    box.know({BOX: Cursor(OTHER, 2, 0)}, 0)
    assert box.wanted() == [Wanted(BOX, OTHER, 0)]
    # What still speaks of the old stream changes nothing.
    box.applied(BOX, STREAM, 5, 0)
    box.welcomed(BOX, STREAM, 5, 0)
    box.sent(Wanted(BOX, STREAM, 0), 5, 100, 0)
    assert box.wanted() == [Wanted(BOX, OTHER, 0)]


def test_a_retired_box_is_sent_nothing() -> None:
    box = outbox()
    box.know({}, 0)
    assert box.wanted() == []
    assert box.deadline_ns() is None
