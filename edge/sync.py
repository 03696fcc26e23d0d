"""The box's half of the sync: what to say, what to believe; messages and time in, messages out.

Blocks leave in order and are kept until headquarters says *committed*, with a head that is ours.
Directives come in order and are confirmed once they are durable. See docs/wire.md.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, auto
from typing import Final

from agreed.limits import RESEND_MS_MAX, RESEND_MS_MIN, WINDOW_ITEMS_MAX
from agreed.machine import NS_PER_MS
from agreed.messages import (
    Applied,
    BlockSent,
    Committed,
    DirectivesSent,
    Hello,
    Message,
    Refused,
    Status,
)
from agreed.stream import Sender

STOPPED_HELLO_MS: Final = 10_000
"""How often a box that must not send asks whether a person has looked meanwhile."""

OUTGOING_COUNT_MAX: Final = WINDOW_ITEMS_MAX * 2
"""Messages that wait for the line; a line that takes none is told nothing more."""


def _(message: str) -> str:
    """Mark a message for the catalogue; it is translated when it is said."""
    return message


OTHER_HISTORY: Final = _("headquarters holds another history of this box: a copied card?")
MORE_THAN_OURS: Final = _("headquarters holds more than this journal: an old card put back?")
REFUSED: Final = _("headquarters does not take the records of this box: is it enrolled?")


class Phase(Enum):
    """How far the two have come."""

    AWAY = auto()  # not connected
    GREETING = auto()  # said hello, waiting to hear where to begin
    SENDING = auto()  # blocks flow
    STOPPED = auto()  # histories differ, or headquarters refuses: a person must look


@dataclass(frozen=True, slots=True)
class CheckHead:
    """Wanted: the hash of our block that ends at `through`; answer with `head_found`."""

    through: int
    head: bytes
    is_resend: bool


@dataclass(frozen=True, slots=True)
class Learn:
    """Wanted: apply these directives; answer with `applied` or `directives_missing`."""

    stream: str
    first: int
    directives: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Settled:
    """Headquarters holds everything through here for good."""

    through: int
    head: bytes


@dataclass(frozen=True, slots=True)
class Incident:
    """No block is sent until a person has looked; the reason is for that person."""

    reason: str


Wanted = CheckHead | Learn
Fact = Settled | Incident


class BoxSync:
    """One box's conversation with headquarters about one journal.

    Attributes:
        phase: see `Phase`.
        incident: why nothing is sent; "" while all is well.
    """

    def __init__(
        self, epoch: bytes, stream: str, applied_through: int, jitter: Callable[[], float]
    ) -> None:
        """Begin away.

        Args:
            epoch: of the journal.
            stream: hex id of the directive stream followed, zeros for none.
            applied_through: number of the last directive applied.
            jitter: gives a number in [0, 1) each time; only spreads the resend times.
        """
        self.phase = Phase.AWAY
        self.incident = ""
        self._epoch = epoch.hex()
        self._stream = stream
        self._applied_through = applied_through
        self._jitter = jitter
        self._sender = Sender(jitter)
        self._head_sequence = 0
        self._outgoing: deque[Message] = deque()
        self._hello_at_ns: int | None = None
        self._hello_rounds = 0

    @property
    def acknowledged(self) -> int:
        """The last sequence that headquarters holds for good, as far as it said."""
        return self._sender.acknowledged

    def connected(self, now_ns: int) -> None:
        """The line is there: say hello until the answer comes."""
        self._outgoing.clear()
        self._greet(now_ns)

    def disconnected(self) -> None:
        """The line is gone; everything not committed will be sent again."""
        self.phase = Phase.AWAY
        self._outgoing.clear()
        self._hello_at_ns = None
        self._sender.disconnected()

    def journaled(self, head_sequence: int) -> None:
        """Learn how far the journal reaches."""
        self._head_sequence = max(self._head_sequence, head_sequence)
        self._sender.available(self._head_sequence)

    def received(self, message: Message, now_ns: int) -> list[Wanted]:
        """Take in a message of headquarters; what is not meant for a box is ignored."""
        match message:
            case Committed():
                return self._check(message)
            case Refused():
                self._stop(message.reason or REFUSED, now_ns)
            case DirectivesSent():
                return [Learn(message.stream, message.first, tuple(message.directives))]
            case Hello() | BlockSent() | Applied() | Status():
                pass
        return []

    def head_found(self, asked: CheckHead, head: bytes | None, now_ns: int) -> list[Fact]:
        """Learn the hash that our journal has where headquarters says it stands."""
        if self.phase is Phase.AWAY:
            return []
        if head != asked.head:
            is_ours = head is not None or asked.through <= self._head_sequence
            self._stop(OTHER_HISTORY if is_ours else MORE_THAN_OURS, now_ns)
            return [Incident(self.incident)]
        if self.phase is not Phase.SENDING:
            self._welcome(asked.through, now_ns)
        elif asked.is_resend and asked.through < self._sender.acknowledged:
            # It has lost what it once held, or the message is old: its answer to hello decides.
            self._greet(now_ns)
            return []
        else:
            self._sender.acknowledged_through(asked.through, now_ns, is_resend=asked.is_resend)
        return [Settled(asked.through, asked.head)]

    def applied(self, stream: str, through: int) -> None:
        """Directives through here are durable: say so."""
        self._stream, self._applied_through = stream, through
        self._say(Applied(stream=stream, through=through))

    def directives_missing(self, now_ns: int) -> None:
        """Something before the directives is missing: say again where we stand."""
        if self._hello_at_ns is None:
            self._say_hello()
            self._hello_at_ns = now_ns + self._wait_ns()

    def next_after(self) -> int | None:
        """Give the sequence after which the next block is wanted; None to wait."""
        is_room = len(self._outgoing) < OUTGOING_COUNT_MAX
        return self._sender.next_after() if self.phase is Phase.SENDING and is_room else None

    def block_loaded(self, data: bytes, last_sequence: int, now_ns: int) -> None:
        """Take in the block that `next_after` asked for."""
        self._say(BlockSent(data=data))
        self._sender.sent(last_sequence, len(data), now_ns)

    def report(self, status: Status) -> None:
        """Say how the box is."""
        self._say(status)

    def time_passed(self, now_ns: int) -> None:
        """Repeat what was not answered."""
        self._sender.time_passed(now_ns)
        if self._hello_at_ns is not None and now_ns >= self._hello_at_ns:
            self._hello_rounds += 1
            if self.phase is Phase.SENDING:
                self._hello_at_ns = None
            else:
                self._hello_at_ns = now_ns + self._wait_ns()
                self._say_hello()

    def messages_to_send(self) -> list[Message]:
        """Hand over what is to be sent, once, in order."""
        messages = list(self._outgoing)
        self._outgoing.clear()
        return messages

    def deadline_ns(self) -> int | None:
        """Say when `time_passed` is next wanted; None for never."""
        deadlines = (self._hello_at_ns, self._sender.deadline_ns())
        return min((d for d in deadlines if d is not None), default=None)

    def _check(self, message: Committed) -> list[Wanted]:
        if message.epoch != self._epoch or self.phase is Phase.AWAY:
            return []
        return [CheckHead(message.through, bytes.fromhex(message.head), message.is_resend)]

    def _welcome(self, through: int, now_ns: int) -> None:
        self.phase = Phase.SENDING
        self.incident = ""
        self._hello_at_ns = None
        self._hello_rounds = 0
        self._sender.welcomed(through, now_ns)

    def _stop(self, reason: str, now_ns: int) -> None:
        self.incident = reason
        self.phase = Phase.STOPPED
        self._sender.disconnected()
        self._hello_at_ns = now_ns + self._wait_ns()

    def _greet(self, now_ns: int) -> None:
        self.phase = Phase.GREETING
        self._sender.disconnected()
        self._hello_rounds = 0
        self._hello_at_ns = now_ns + self._wait_ns()
        self._say_hello()

    def _wait_ns(self) -> int:
        wait_ms = min(RESEND_MS_MIN << min(self._hello_rounds, 16), RESEND_MS_MAX)
        if self.phase is Phase.STOPPED:
            wait_ms = STOPPED_HELLO_MS
        return (wait_ms + int(wait_ms * self._jitter() / 2)) * NS_PER_MS

    def _say_hello(self) -> None:
        self._say(
            Hello(
                epoch=self._epoch,
                head_sequence=self._head_sequence,
                directive_stream=self._stream,
                applied_through=self._applied_through,
            )
        )

    def _say(self, message: Message) -> None:
        if self.phase is not Phase.AWAY and len(self._outgoing) < OUTGOING_COUNT_MAX:
            self._outgoing.append(message)
