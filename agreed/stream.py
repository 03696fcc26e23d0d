"""A numbered stream over a lossy line: what to send next, what to keep, what to accept.

Blocks travel up and directives travel down by the same two halves. Positions are integers that
grow without gaps; an item covers first..last. Everything before an acknowledged position may be
forgotten; everything after it is sent again after silence. The line may lose, repeat, hold back
and reorder as it likes.
"""

from collections import deque
from collections.abc import Callable
from enum import Enum, auto
from typing import Final

from agreed.limits import RESEND_MS_MAX, RESEND_MS_MIN, WINDOW_BYTES_MAX, WINDOW_ITEMS_MAX
from agreed.machine import NS_PER_MS

QUIET_FACTOR: Final = 3
"""Silence is a loss when it lasts this many times as long as the far end lately took to answer."""


class Outcome(Enum):
    """What a receiver makes of an item, in order of precedence."""

    DUPLICATE = auto()  # all of it is behind us, and the same
    FORKED = auto()  # it claims a place we have, with other content
    AHEAD = auto()  # something before it is missing
    ACCEPTED = auto()  # it continues exactly where we are


class Sender:
    """Decide what to send and when to send again; holds positions, never items.

    The owner asks `next_after` for the position after which the next item is wanted, loads that
    item, writes it to the line and calls `sent`.
    """

    def __init__(self, jitter: Callable[[], float]) -> None:
        """Start disconnected, knowing nothing.

        Args:
            jitter: gives a number in [0, 1) each time; only spreads the resend times.
        """
        self._jitter = jitter
        self._is_welcome = False
        self._available = 0
        self._acknowledged = 0
        self._cursor = 0
        self._in_flight: deque[tuple[int, int]] = deque()
        self._bytes_in_flight = 0
        self._silent_rounds = 0
        self._resend_at_ns: int | None = None
        self._heard_ns = 0
        self._quiet_ms = 0
        self._asked: tuple[int, int] | None = None
        self._repair: tuple[int, int] | None = None

    @property
    def acknowledged(self) -> int:
        """The last position that the far end holds for good."""
        return self._acknowledged

    def disconnected(self) -> None:
        """Stop sending until the far end has said again where it is."""
        self._is_welcome = False
        self._forget_flight()

    def welcomed(self, through: int, now_ns: int) -> None:
        """Start sending after `through`: the far end said that it holds everything up to there."""
        self._is_welcome = True
        self._silent_rounds = 0
        self._rewind(through, now_ns)

    def available(self, through: int) -> None:
        """Learn that items up to `through` exist."""
        self._available = max(self._available, through)

    def next_after(self) -> int | None:
        """Give the position after which to send the next item; None to wait."""
        is_full = (
            len(self._in_flight) >= WINDOW_ITEMS_MAX or self._bytes_in_flight >= WINDOW_BYTES_MAX
        )
        if self._is_welcome and self._repair is not None:
            return self._repair[0]
        if not self._is_welcome or is_full or self._cursor >= self._available:
            return None
        return self._cursor

    def wanted_through(self) -> int:
        """Give the last position wanted with the item after `next_after`."""
        return self._available if self._repair is None else self._repair[1]

    def sent(self, last: int, size_bytes: int, now_ns: int) -> None:
        """Note that the item ending at `last` was handed to the line."""
        if self._repair is not None:
            # It still counts as in flight from the first time.
            assert last > self._repair[0]
            self._repair = (last, self._repair[1]) if last < self._repair[1] else None
            return
        assert last > self._cursor
        self._cursor = last
        self._in_flight.append((last, size_bytes))
        self._bytes_in_flight += size_bytes
        if self._resend_at_ns is None:
            self._heard_ns = now_ns
            self._arm(now_ns)

    def acknowledged_through(
        self, through: int, now_ns: int, *, is_resend: bool, missing_through: int = 0
    ) -> None:
        """Take in what the far end holds; with is_resend, send again what follows it.

        An acknowledgement that arrives late or twice changes nothing.

        Args:
            through: the last position that the far end holds.
            now_ns: ns.
            is_resend: something after `through` is missing there.
            missing_through: the last position missing; 0 if it holds nothing beyond `through`.
        """
        if not self._is_welcome or through > self._available:
            return
        if through > self._acknowledged:
            self._advance(through, now_ns)
        if is_resend:
            self._asked_again(max(through, self._acknowledged), missing_through, now_ns)

    def time_passed(self, now_ns: int) -> None:
        """Send everything unacknowledged again if the far end was silent for too long."""
        if self._resend_at_ns is not None and now_ns >= self._resend_at_ns:
            self._silent_rounds += 1
            self._rewind(self._acknowledged, now_ns)

    def deadline_ns(self) -> int | None:
        """Say when `time_passed` is next wanted; None while nothing is in flight."""
        return self._resend_at_ns

    def _advance(self, through: int, now_ns: int) -> None:
        # A far end that is busy answers late, and everything sent again would make it later.
        quiet_ms = (now_ns - self._heard_ns) // NS_PER_MS
        self._quiet_ms = max(quiet_ms, self._quiet_ms * 7 // 8)
        self._heard_ns = now_ns
        self._acknowledged = through
        self._cursor = max(self._cursor, through)
        self._silent_rounds = 0
        while self._in_flight and self._in_flight[0][0] <= through:
            self._bytes_in_flight -= self._in_flight.popleft()[1]
        if self._repair is not None and self._repair[1] <= through:
            self._repair = None
        elif self._repair is not None:
            self._repair = max(self._repair[0], through), self._repair[1]
        self._resend_at_ns = None
        if self._in_flight:
            self._arm(now_ns)

    def _asked_again(self, through: int, missing_through: int, now_ns: int) -> None:
        # One lost item makes every later one in flight ask again; answering once is enough.
        asked, self._asked = self._asked, (through, now_ns)
        if asked and asked[0] == through and now_ns - asked[1] < RESEND_MS_MIN * NS_PER_MS:
            self._asked = asked
        elif through < missing_through < self._cursor:
            self._repair = through, missing_through
        else:
            self._rewind(through, now_ns)

    def _rewind(self, through: int, now_ns: int) -> None:
        self._forget_flight()
        self._acknowledged = self._cursor = through
        if self._silent_rounds:
            self._arm(now_ns)

    def _forget_flight(self) -> None:
        self._in_flight.clear()
        self._bytes_in_flight = 0
        self._resend_at_ns = None
        self._repair = None

    def _arm(self, now_ns: int) -> None:
        patience_ms = max(RESEND_MS_MIN, QUIET_FACTOR * self._quiet_ms)
        wait_ms = min(patience_ms << min(self._silent_rounds, 16), RESEND_MS_MAX)
        wait_ms += int(wait_ms * self._jitter() / 2)
        self._resend_at_ns = now_ns + wait_ms * NS_PER_MS


def receive(*, through: int, head: bytes, first: int, last: int, previous: bytes) -> Outcome:
    """Decide about an item that a chain's far end sent.

    Args:
        through: last position we hold, 0 for none.
        head: hash of the item that ends there.
        first: first position of the item, >= 1.
        last: its last position, >= first.
        previous: hash of the item that its sender put before it.

    Returns:
        DUPLICATE only says that the positions are known; the owner compares the stored hash and
        turns a difference into FORKED.
    """
    if last <= through:
        return Outcome.DUPLICATE
    if first <= through:
        return Outcome.FORKED
    if first > through + 1:
        return Outcome.AHEAD
    return Outcome.ACCEPTED if previous == head else Outcome.FORKED
