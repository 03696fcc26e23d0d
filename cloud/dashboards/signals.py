"""What to say of a box: is it connected, and is its data here. Two signals, never one lamp."""

from typing import Final

from agreed.words import say
from cloud.dashboards.formats import age, minute, span
from cloud.dashboards.incidents import incident_word
from cloud.dashboards.wording import Signal
from cloud.database.views import BoxView

QUIET_MS_MAX: Final = 30_000
"""A connected box says how it is every few seconds; after this it is called silent."""

FRESH_MS_MAX: Final = 10_000
"""Records that wait no longer than this are on their way, not behind."""

BEHIND_MS_MAX: Final = 300_000
"""Records that wait longer than this are a lag that a person should look at."""

_ORDER: Final = {"bad": 0, "warn": 1, "unknown": 2, "good": 3}

Row = tuple[BoxView, Signal, Signal]


def fleet(boxes: list[BoxView], now_ms: int, speed: int) -> list[Row]:
    """Give every box its two signals, the worst first."""
    rows = [(box, link(box, now_ms, speed), data(box, now_ms, speed)) for box in boxes]
    return sorted(rows, key=lambda row: min(_ORDER[row[1].level], _ORDER[row[2].level]))


def needs_somebody(row: Row) -> bool:
    """Whether a person should look at this box now."""
    box, *signals = row
    return bool(box.devices_lost) or any(s.level in {"bad", "warn"} for s in signals)


def link(box: BoxView, now_ms: int, speed: int) -> Signal:
    """Say whether the box is connected to headquarters, since when, and why not.

    Args:
        box: as headquarters knows it.
        now_ms: ms since the epoch.
        speed: of a simulated day, 1 in life; a faster clock makes every wait look longer.
    """
    if box.status == "retired":
        return Signal("unknown", say("retired"))
    if box.status == "pending":
        reason = say("not accepted yet: duifu cloud boxes accept")
        return Signal("warn", say("pending"), reason=reason)
    if box.last_heard_ms is None:
        return Signal("unknown", say("never heard"), reason=say("enrol it at the site"))
    silent_ms = max(now_ms - box.last_heard_ms, 0)
    if not box.is_online:
        since_ms = now_ms - (box.presence_at_ms or box.last_heard_ms)
        reason = say("its network or its power is gone; it keeps recording while it has power")
        return Signal("bad", say("offline"), span(since_ms), reason)
    if silent_ms > QUIET_MS_MAX * speed:
        reason = say("the broker still holds its connection, but the box says nothing")
        return Signal("warn", say("silent"), span(silent_ms), reason)
    return Signal("good", say("online"), age(silent_ms // speed))


def data(box: BoxView, now_ms: int, speed: int) -> Signal:
    """Say whether the records of the box are at headquarters; arguments as in `link`."""
    if box.incident is not None:
        return Signal("bad", say("needs a person"), reason=incident_word(box.incident))
    if box.waiting_records is None or box.oldest_waiting_ms is None:
        return Signal("unknown", say("unknown"), reason=say("it has not said yet"))
    if not box.is_online:
        known = say("known up to {time}", time=minute(box.covered_until_ms))
        missing = say("what happened since is unknown, not undone")
        return Signal("unknown", known, _since(box, now_ms), missing)
    if box.waiting_records == 0 or box.oldest_waiting_ms <= FRESH_MS_MAX * speed:
        return Signal("good", say("caught up"))
    level = "warn" if box.oldest_waiting_ms <= BEHIND_MS_MAX * speed else "bad"
    reason = say("records of the time before are still being sent")
    return Signal(level, say("behind"), span(box.oldest_waiting_ms), reason)


def oldest_waiting(box: BoxView, now_ms: int) -> str:
    """Say how old the oldest unsent record is by now; a silent box's grows older unseen."""
    if box.oldest_waiting_ms is None or box.status_at_ms is None:
        return say("unknown")
    if not box.waiting_records:
        return say("none") if box.is_online else say("unknown")  # it may have recorded since
    grown_ms = 0 if box.is_online else max(now_ms - box.status_at_ms, 0)
    return span(box.oldest_waiting_ms + grown_ms)


def waiting(box: BoxView) -> str:
    """Say how many records wait; a box that is away has at least as many as it last said."""
    if box.waiting_records is None:
        return say("unknown")
    number = f"{box.waiting_records:,}"
    return number if box.is_online else say("at least {count}", count=number)


def _since(box: BoxView, now_ms: int) -> str:
    return span(max(now_ms - box.covered_until_ms, 0)) if box.covered_until_ms else ""
