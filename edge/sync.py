"""The box's half of the sync: what to say, what to believe; messages and time in, messages out.

Blocks leave in order and are kept until headquarters says *committed*, with a head that is ours.
Every message of blocks is signed over the head of the chain at its end. While many records wait,
what is journaled now is shown ahead of them, and comes again in its turn.
Directives come in order and are confirmed once they are durable. See docs/wire.md.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, auto
from typing import Final

from agreed.limits import (
    LIVE_BEHIND_RECORDS,
    LIVE_RECORDS_MAX,
    RESEND_MS_MAX,
    RESEND_MS_MIN,
    TRAIL_PLACES_MAX,
    WINDOW_ITEMS_MAX,
)
from agreed.machine import NS_PER_MS
from agreed.messages import (
    Applied,
    BlockSent,
    BlocksSent,
    Committed,
    DirectivesSent,
    Hello,
    Message,
    Parted,
    Refusal,
    Refused,
    Status,
    TimeAsked,
    TimeTold,
    TrailPlace,
)
from agreed.signing import end_statement, hello_statement
from agreed.stream import Sender
from agreed.wire import NO_HASH
from agreed.words import marked

STOPPED_HELLO_MS: Final = 10_000
"""How often a box that must not send asks whether a person has looked meanwhile."""

OUTGOING_COUNT_MAX: Final = WINDOW_ITEMS_MAX * 2
"""Messages that wait for the line; a line that takes none is told nothing more."""


OTHER_HISTORY: Final = marked("headquarters holds another history of this box: a copied card?")
MORE_THAN_OURS: Final = marked("headquarters holds more than this journal: an old card put back?")
REFUSED: Final = marked("headquarters does not take the records of this box: is it enrolled?")
NOT_ACCEPTED: Final = marked("a person at headquarters must accept this box first: Boxes, this box")
FORKED: Final = marked("headquarters holds another history for the same records: a copied card?")
MALFORMED: Final = marked("headquarters cannot read what this box sends: is its version older?")
UNSIGNED: Final = marked("headquarters finds no valid signature of this box on its records")
OTHER_KEY: Final = marked(
    "headquarters knows another key of this box; compare the fingerprint and accept it there"
)

_REFUSALS: Final = {
    Refusal.UNKNOWN_BOX: NOT_ACCEPTED,
    Refusal.FORKED: FORKED,
    Refusal.MALFORMED: MALFORMED,
    Refusal.UNSIGNED: UNSIGNED,
    Refusal.OTHER_KEY: OTHER_KEY,
}
"""In words that `say` knows; what headquarters says itself is for logs."""


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
    missing_through: int = 0


@dataclass(frozen=True, slots=True)
class MakeTrail:
    """Wanted: ends of our blocks between two sequences; answer with `trail_made`.

    Attributes:
        after: the last that headquarters is known to hold.
        before: the first that it is known not to hold.
    """

    after: int
    before: int


@dataclass(frozen=True, slots=True)
class Learn:
    """Wanted: apply these directives; answer with `applied` or `directives_missing`."""

    stream: str
    first: int
    directives: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class TimeHeard:
    """Headquarters said what time it was; ns, as `agreed.anchors.answered` takes them."""

    asked_ns: int
    told_ns: int
    error_ns: int
    heard_ns: int


@dataclass(frozen=True, slots=True)
class Settled:
    """Headquarters holds everything through here for good."""

    through: int
    head: bytes


@dataclass(frozen=True, slots=True)
class HistoriesPart:
    """Headquarters holds our chain exactly up to here, and something else after it."""

    through: int
    head: bytes


@dataclass(frozen=True, slots=True)
class Incident:
    """No block is sent until a person has looked; the reason is for that person."""

    reason: str


Wanted = CheckHead | Learn | MakeTrail | TimeHeard
Fact = Settled | Incident | MakeTrail


@dataclass(frozen=True, slots=True)
class Voice:
    """Who speaks: the names and the key of a box.

    Attributes:
        names: company, site, box.
        key: 32 bytes, public.
        sign: gives the 64 bytes of a signature over a statement.
    """

    names: tuple[str, str, str]
    key: bytes
    sign: Callable[[bytes], bytes]


@dataclass(slots=True)
class _Parting:
    """Between which sequences our history and headquarters' part."""

    after: int
    head: bytes
    before: int


class BoxSync:
    """One box's conversation with headquarters about one journal.

    Attributes:
        phase: see `Phase`.
        incident: why nothing is sent; "" while all is well.
    """

    def __init__(
        self,
        voice: Voice,
        epoch: bytes,
        stream: str,
        applied_through: int,
        jitter: Callable[[], float],
    ) -> None:
        """Begin away.

        Args:
            voice: who speaks.
            epoch: of the journal.
            stream: hex id of the directive stream followed, zeros for none.
            applied_through: number of the last directive applied.
            jitter: gives a number in [0, 1) each time; only spreads the resend times.
        """
        self.phase = Phase.AWAY
        self.incident = ""
        self._voice = voice
        self._epoch = epoch.hex()
        self._stream = stream
        self._applied_through = applied_through
        self._jitter = jitter
        self._sender = Sender(jitter)
        self._head_sequence = 0
        self._outgoing: deque[Message] = deque()
        self._hello_at_ns: int | None = None
        self._hello_rounds = 0
        self._shown_through = 0
        self._trail: list[TrailPlace] = []
        self._parting: _Parting | None = None
        self._asked_ns: int | None = None

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
                known = {int(refusal): words for refusal, words in _REFUSALS.items()}
                self._trail, self._parting = [], None
                self._stop(known.get(message.refusal, REFUSED), now_ns)
            case DirectivesSent():
                return [Learn(message.stream, message.first, tuple(message.directives))]
            case Parted():
                return self._parted(message)
            case TimeTold():
                return self._heard_time(message, now_ns)
            case Hello() | BlockSent() | BlocksSent() | Applied() | Status() | TimeAsked():
                pass
        return []

    def head_found(self, asked: CheckHead, head: bytes | None, now_ns: int) -> list[Fact]:
        """Learn the hash that our journal has where headquarters says it stands."""
        if self.phase is Phase.AWAY:
            return []
        if head != asked.head:
            is_ours = head is not None or asked.through <= self._head_sequence
            self._stop(OTHER_HISTORY if is_ours else MORE_THAN_OURS, now_ns)
            return [Incident(self.incident), *self._begin_parting()]
        self._trail, self._parting = [], None
        if self.phase is not Phase.SENDING:
            self._welcome(asked.through, now_ns)
        elif asked.is_resend and asked.through < self._sender.acknowledged:
            # It has lost what it once held, or the message is old: its answer to hello decides.
            self._greet(now_ns)
            return []
        else:
            self._sender.acknowledged_through(
                asked.through,
                now_ns,
                is_resend=asked.is_resend,
                missing_through=asked.missing_through,
            )
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

    def wanted_through(self) -> int:
        """Give the last sequence that is wanted with the blocks after `next_after`."""
        return self._sender.wanted_through()

    def blocks_loaded(self, blocks: list[bytes], last_sequence: int, now_ns: int) -> None:
        """Take in consecutive blocks from `next_after` on; they leave under one signature."""
        self._say(self._signed(blocks, is_ahead=False))
        self._sender.sent(last_sequence, sum(map(len, blocks)), now_ns)

    def show_after(self) -> int | None:
        """Give the sequence after which the newest blocks are to be shown ahead; None to wait."""
        if self.phase is not Phase.SENDING or len(self._outgoing) >= OUTGOING_COUNT_MAX:
            return None
        committed_soon = self._sender.acknowledged + LIVE_BEHIND_RECORDS
        newest = self._head_sequence - LIVE_RECORDS_MAX
        after = max(self._shown_through, committed_soon, newest)
        return after if after < self._head_sequence else None

    def show_loaded(self, blocks: list[bytes], last_sequence: int) -> None:
        """Take in the blocks that `show_after` asked for; none if there are none so short."""
        self._shown_through = max(self._shown_through, last_sequence)
        if blocks:
            self._outgoing.appendleft(self._signed(blocks, is_ahead=True))

    def trail_made(self, places: list[tuple[int, bytes]], now_ns: int) -> HistoriesPart | None:
        """Take in the places that `MakeTrail` asked for; say where the histories part, if known."""
        parting = self._parting
        if parting is None or self.phase is not Phase.STOPPED:
            return None
        if not places:
            return HistoriesPart(parting.after, parting.head)
        self._trail = [TrailPlace(through=t, head=h.hex()) for t, h in places[:TRAIL_PLACES_MAX]]
        self._say_hello()
        self._hello_at_ns = now_ns + self._wait_ns()
        return None

    def report(self, status: Status) -> None:
        """Say how the box is."""
        self._say(status)

    def ask_time(self, now_ns: int) -> None:
        """Ask headquarters what time it is; an earlier question counts no more."""
        self._asked_ns = now_ns
        self._say(TimeAsked(mono_ns=now_ns))

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

    def next_message(self) -> Message | None:
        """Hand over what is to be sent first, once; None for nothing."""
        return self._outgoing.popleft() if self._outgoing else None

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
        head = bytes.fromhex(message.head)
        return [CheckHead(message.through, head, message.is_resend, message.missing_through)]

    def _heard_time(self, told: TimeTold, now_ns: int) -> list[Wanted]:
        if told.mono_ns != self._asked_ns or not told.is_synced:
            return []  # an answer that comes twice would prove a time that is over
        self._asked_ns = None
        return [TimeHeard(told.mono_ns, told.time_ns, told.error_ns, now_ns)]

    def _begin_parting(self) -> list[MakeTrail]:
        if self._parting is not None:
            return []
        self._parting = _Parting(0, NO_HASH, self._head_sequence + 1)
        return [MakeTrail(self._parting.after, self._parting.before)]

    def _parted(self, message: Parted) -> list[Wanted]:
        """Narrow down where the histories part: between what both hold and the place after it."""
        parting = self._parting
        is_answer = bool(self._trail) and message.asked_through == self._trail[0].through
        if message.epoch != self._epoch or parting is None or not is_answer:
            return []  # a late answer to an earlier question would be taken for one to this
        beyond = [place.through for place in self._trail if place.through > message.through]
        if parting.after < message.through < parting.before:
            parting.after, parting.head = message.through, bytes.fromhex(message.head)
        parting.before = min([parting.before, *beyond])
        self._trail = []
        return [MakeTrail(parting.after, parting.before)]

    def _welcome(self, through: int, now_ns: int) -> None:
        self.phase = Phase.SENDING
        self.incident = ""
        self._hello_at_ns = None
        self._hello_rounds = 0
        self._shown_through = max(self._shown_through, self._head_sequence)
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
        hello = Hello(
            epoch=self._epoch,
            head_sequence=self._head_sequence,
            directive_stream=self._stream,
            applied_through=self._applied_through,
            trail=self._trail,
            key=self._voice.key.hex(),
        )
        statement = hello_statement(self._voice.names, hello.signed_part())
        self._say(hello.model_copy(update={"signature": self._voice.sign(statement).hex()}))

    def _signed(self, blocks: list[bytes], *, is_ahead: bool) -> BlocksSent:
        signature = self._voice.sign(end_statement(blocks[-1]))
        return BlocksSent(blocks=blocks, signature=signature, is_ahead=is_ahead)

    def _say(self, message: Message) -> None:
        if self.phase is not Phase.AWAY and len(self._outgoing) < OUTGOING_COUNT_MAX:
            self._outgoing.append(message)
