"""Decides which directives go to which box, and when again: pure, over `agreed.stream.Sender`."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from agreed.stream import Sender
from cloud.database.fleet import BoxName


class Cursor(NamedTuple):
    """How far a box's directives have come.

    Attributes:
        stream: 16 bytes.
        through: number of the last one there is.
        applied: number of the last one that the box has applied.
    """

    stream: bytes
    through: int
    applied: int


@dataclass(frozen=True, slots=True)
class Wanted:
    """Directives to load and send: those of the stream that follow `after`."""

    box: BoxName
    stream: bytes
    after: int


class Outbox:
    """One sender per box; holds numbers, never directives."""

    def __init__(self, jitter: Callable[[], float]) -> None:
        """Start knowing no box; `jitter` as in `Sender`."""
        self._jitter = jitter
        self._senders: dict[BoxName, tuple[bytes, Sender]] = {}

    def know(self, cursors: dict[BoxName, Cursor], now_ns: int) -> None:
        """Learn which directives there are; boxes that are missing are sent nothing more."""
        for name in set(self._senders) - set(cursors):
            del self._senders[name]
        for name, cursor in cursors.items():
            held = self._senders.get(name)
            if held is None or held[0] != cursor.stream:
                sender = Sender(self._jitter)
                sender.welcomed(cursor.applied, now_ns)
                self._senders[name] = held = cursor.stream, sender
            held[1].available(cursor.through)

    def welcomed(self, name: BoxName, stream: bytes, applied: int, now_ns: int) -> None:
        """Go on after what a box said that it has applied."""
        held = self._senders.get(name)
        if held is not None and held[0] == stream:
            held[1].welcomed(applied, now_ns)

    def applied(self, name: BoxName, stream: bytes, through: int, now_ns: int) -> None:
        """Forget what a box has applied."""
        held = self._senders.get(name)
        if held is not None and held[0] == stream:
            held[1].acknowledged_through(through, now_ns, is_resend=False)

    def wanted(self) -> list[Wanted]:
        """Say what to send now, at most one message per box."""
        after = {name: sender.next_after() for name, (_, sender) in self._senders.items()}
        return [
            Wanted(name, self._senders[name][0], number)
            for name, number in after.items()
            if number is not None
        ]

    def sent(self, wanted: Wanted, last: int, size_bytes: int, now_ns: int) -> None:
        """Note that directives through `last` were handed to the line."""
        held = self._senders.get(wanted.box)
        if held is not None and held[0] == wanted.stream and held[1].next_after() == wanted.after:
            held[1].sent(last, size_bytes, now_ns)

    def time_passed(self, now_ns: int) -> None:
        """Send again to boxes that were silent for too long."""
        for _, sender in self._senders.values():
            sender.time_passed(now_ns)

    def deadline_ns(self) -> int | None:
        """Say when `time_passed` is next wanted."""
        deadlines = [sender.deadline_ns() for _, sender in self._senders.values()]
        return min((d for d in deadlines if d is not None), default=None)
