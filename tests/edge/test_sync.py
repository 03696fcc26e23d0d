"""Whatever the line does, headquarters gets everything once and in order, or a person is told."""

import random
from dataclasses import dataclass, field
from itertools import pairwise

import pytest

from agreed.limits import LIVE_BEHIND_RECORDS, LIVE_RECORDS_MAX
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
)
from agreed.records import ClockState, Evidence, Record, to_columns
from agreed.signing import end_statement, hello_statement, is_signed
from agreed.wire import NO_HASH, Origin, block_hash, encode_block
from edge.key import make_key
from edge.sync import (
    MORE_THAN_OURS,
    NOT_ACCEPTED,
    OTHER_HISTORY,
    OUTGOING_COUNT_MAX,
    BoxSync,
    CheckHead,
    Learn,
    MakeTrail,
    Phase,
    Settled,
    TimeHeard,
    Voice,
)
from tests.edge.stand_in import STREAM, Headquarters, order

EPOCH = bytes(range(16))
ORIGIN = Origin("greentown", "lakeside", "east-gate", EPOCH, bytes(16))
SECOND_NS = 1_000 * NS_PER_MS
KEY = make_key(bytes(32))
VOICE = Voice((ORIGIN.company, ORIGIN.site, ORIGIN.box), KEY.public, KEY.sign)


def data(messages: list[Message]) -> list[bytes]:
    """The blocks that are sent in their turn."""
    bursts = [m for m in messages if isinstance(m, BlocksSent) and not m.is_ahead]
    return [block for burst in bursts for block in burst.blocks]


def status() -> Status:
    return Status(
        at_ms=0, bound_ms=0, clock_state=0, head_sequence=0, waiting_records=0, oldest_waiting_ms=0
    )


def chain(blocks: int) -> list[bytes]:
    """Encode blocks of two records each."""
    encoded: list[bytes] = []
    previous = NO_HASH
    for i in range(blocks):
        records = [
            Record(2 * i + j, 0, 0, 0, ClockState.SYNCED, Evidence.DEVICE, "gate", "gate_passed")
            for j in (1, 2)
        ]
        encoded.append(encode_block(ORIGIN, previous, to_columns(records)))
        previous = block_hash(encoded[-1])
    return encoded


@dataclass
class Box:
    """The pure machine with a journal and a learned store that are lists."""

    blocks: list[bytes]
    sync: BoxSync = field(init=False)
    settled: int = 0
    learned: list[str] = field(default_factory=list)
    parted: int | None = None
    heard: list[TimeHeard] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.start()

    def start(self) -> None:
        """Begin, or begin again after a kill."""
        stream = STREAM if self.learned else "0" * 32
        self.sync = BoxSync(VOICE, EPOCH, stream, len(self.learned), lambda: 0.5)
        self.sync.journaled(2 * len(self.blocks))

    def hash_at(self, through: int) -> bytes | None:
        if through == 0:
            return NO_HASH
        is_known = through % 2 == 0 and through <= 2 * len(self.blocks)
        return block_hash(self.blocks[through // 2 - 1]) if is_known else None

    def receive(self, message: Message, now_ns: int) -> None:
        for wanted in self.sync.received(message, now_ns):
            match wanted:
                case CheckHead():
                    self.check_head(wanted, now_ns)
                case MakeTrail():
                    self.make_trail(wanted, now_ns)
                case TimeHeard():
                    self.heard.append(wanted)
                case Learn():
                    self.learn(wanted, now_ns)

    def check_head(self, wanted: CheckHead, now_ns: int) -> None:
        head = self.hash_at(wanted.through)
        for fact in self.sync.head_found(wanted, head, now_ns):
            if isinstance(fact, Settled):
                self.settled = max(self.settled, fact.through)
            elif isinstance(fact, MakeTrail):
                self.make_trail(fact, now_ns)

    def learn(self, wanted: Learn, now_ns: int) -> None:
        if wanted.first > len(self.learned) + 1:
            self.sync.directives_missing(now_ns)
        else:
            self.learned.extend(wanted.directives[len(self.learned) + 1 - wanted.first :])
            self.sync.applied(wanted.stream, len(self.learned))

    def send(self, now_ns: int) -> list[Message]:
        self.sync.time_passed(now_ns)
        while (after := self.sync.next_after()) is not None:
            self.sync.blocks_loaded([self.blocks[after // 2]], after + 2, now_ns)
        return self.sync.messages_to_send()

    def make_trail(self, wanted: MakeTrail, now_ns: int) -> None:
        ends = range(wanted.after + 2, min(wanted.before, 2 * len(self.blocks) + 1), 2)
        places = [(end, block_hash(self.blocks[end // 2 - 1])) for end in reversed(ends)]
        part = self.sync.trail_made(places[:: max(1, len(places) // 4)], now_ns)
        if part is not None:
            self.parted = part.through


def welcomed(blocks: int = 3) -> Box:
    box = Box(chain(blocks))
    box.sync.connected(0)
    box.send(0)
    box.receive(Committed(epoch=EPOCH.hex(), through=0, head=NO_HASH.hex()), 0)
    return box


def committed(box: Box, through: int, *, is_resend: bool = False) -> Committed:
    head = box.hash_at(through) or bytes(32)
    return Committed(epoch=EPOCH.hex(), through=through, head=head.hex(), is_resend=is_resend)


def test_hello_is_repeated_with_back_off_until_the_answer() -> None:
    box = Box(chain(1))
    box.sync.connected(0)
    hellos = [now_s for now_s in range(300) if box.send(now_s * SECOND_NS)]
    gaps = [after - before for before, after in pairwise(hellos)]
    assert gaps == sorted(gaps)
    assert 2 <= gaps[0] <= 3
    assert gaps[-1] <= 90
    assert box.sync.phase is Phase.GREETING


def test_blocks_follow_the_welcome_in_order_and_settle() -> None:
    box = welcomed()
    sent = box.send(0)
    assert data(sent) == box.blocks
    box.receive(committed(box, 4), 0)
    assert (box.settled, box.sync.acknowledged) == (4, 4)
    assert data(box.send(60 * SECOND_NS)) == [box.blocks[2]]


def test_a_missing_block_is_sent_again_from_there() -> None:
    box = welcomed()
    box.send(0)
    box.receive(committed(box, 2, is_resend=True), SECOND_NS)
    assert data(box.send(SECOND_NS)) == box.blocks[1:]


def test_headquarters_that_lost_what_it_held_gets_it_again() -> None:
    box = welcomed()
    box.send(0)
    box.receive(committed(box, 6), 0)
    box.receive(committed(box, 2, is_resend=True), SECOND_NS)
    assert [type(m) for m in box.send(SECOND_NS)] == [Hello]
    box.receive(committed(box, 2), SECOND_NS)
    assert data(box.send(SECOND_NS)) == box.blocks[1:]


@pytest.mark.parametrize(
    ("through", "incident"), [(2, OTHER_HISTORY), (3, OTHER_HISTORY), (8, MORE_THAN_OURS)]
)
def test_another_history_stops_everything_and_says_so(through: int, incident: str) -> None:
    box = welcomed()
    wrong = Committed(epoch=EPOCH.hex(), through=through, head="11" * 32)
    box.receive(wrong, 0)
    assert box.sync.phase is Phase.STOPPED
    assert box.sync.incident == incident
    [asks] = box.send(0)
    assert isinstance(asks, Hello)
    assert [place.through for place in asks.trail] == [6, 4, 2]
    assert [type(m) for m in box.send(16 * SECOND_NS)] == [Hello]
    box.receive(committed(box, 2), 17 * SECOND_NS)
    assert (box.sync.phase, box.sync.incident) == (Phase.SENDING, "")


def test_a_refusal_stops_until_headquarters_takes_blocks_again() -> None:
    box = welcomed()
    box.receive(Refused(refusal=Refusal.UNKNOWN_BOX, reason=""), 0)
    assert (box.sync.phase, box.sync.incident) == (Phase.STOPPED, NOT_ACCEPTED)
    assert box.send(0) == []


def test_words_about_another_journal_or_from_another_box_mean_nothing() -> None:
    box = welcomed()
    box.send(0)
    foreign: list[Message] = [
        Committed(epoch="ff" * 16, through=2, head="11" * 32),
        BlockSent(data=b"x"),
        Applied(stream=STREAM, through=1),
        status(),
        Hello(epoch="ff" * 16, head_sequence=0, directive_stream=STREAM, applied_through=0),
    ]
    for message in foreign:
        box.receive(message, 0)
    assert (box.settled, box.send(0)) == (0, [])
    assert box.sync.phase is Phase.SENDING


def test_nothing_is_believed_or_said_while_away() -> None:
    box = welcomed()
    asked = CheckHead(2, box.hash_at(2) or b"", is_resend=False)
    box.sync.disconnected()
    box.receive(committed(box, 2), 0)
    assert box.sync.head_found(asked, asked.head, 0) == []
    box.sync.report(status())
    assert (box.sync.phase, box.send(SECOND_NS), box.sync.deadline_ns()) == (Phase.AWAY, [], None)


def test_missing_directives_are_asked_for_without_flooding() -> None:
    box = welcomed(0)
    early = DirectivesSent(stream=STREAM, first=5, directives=["{}"])
    for _ in range(10):
        box.receive(early, 0)
    assert [type(m) for m in box.send(0)] == [Hello]
    box.send(10 * SECOND_NS)
    box.receive(early, 10 * SECOND_NS)
    assert [type(m) for m in box.send(10 * SECOND_NS)] == [Hello]


def test_directives_are_handed_over_as_they_came() -> None:
    box = welcomed(0)
    wanted = box.sync.received(DirectivesSent(stream=STREAM, first=1, directives=["a", "b"]), 0)
    assert wanted == [Learn(STREAM, 1, ("a", "b"))]


def test_what_waits_for_the_line_is_bounded() -> None:
    box = welcomed(0)
    for _ in range(OUTGOING_COUNT_MAX * 2):
        box.sync.report(status())
    assert len(box.send(0)) == OUTGOING_COUNT_MAX


class Line:
    """A line between a box and headquarters that loses, repeats and reorders, by seed."""

    def __init__(self, seed: int) -> None:
        self.dice = random.Random(seed)
        self.loss = self.dice.choice([0.0, 0.1, 0.4])
        self.headquarters = Headquarters(
            [order(f"o-{i}") for i in range(self.dice.randrange(1, 400))]
        )
        self.box = Box(chain(self.dice.randrange(1, 80)))
        self.up: list[Message] = []
        self.down: list[Message] = []

    def is_finished(self) -> bool:
        is_told = len(self.box.learned) == len(self.headquarters.directives)
        return is_told and self.box.settled == 2 * len(self.box.blocks)

    def cut(self, now_ns: int) -> None:
        self.box.sync.disconnected()
        if self.dice.random() < 0.3:
            self.box.start()
        self.up.clear()
        self.down.clear()
        self.box.sync.connected(now_ns)

    def carry(self, now_ns: int) -> None:
        self.up += self._survivors(self.box.send(now_ns))
        while self.up and self.dice.random() < 0.8:
            self.down += self._survivors(self.headquarters.received(self._draw(self.up)))
        while self.down and self.dice.random() < 0.8:
            self.box.receive(self._draw(self.down), now_ns)

    def remind(self) -> None:
        """A sender that hears nothing sends again."""
        after = self.headquarters.applied_through
        self.down += self._survivors(self.headquarters.directives_after(after))

    def _survivors(self, messages: list[Message]) -> list[Message]:
        return [message for message in messages if self.dice.random() >= self.loss]

    def _draw(self, line: list[Message]) -> Message:
        place = 0 if self.dice.random() < 0.7 else self.dice.randrange(len(line))
        return line[place] if self.dice.random() < 0.1 else line.pop(place)


@pytest.mark.parametrize("seed", range(25))
def test_a_line_that_loses_repeats_and_reorders_loses_nothing(seed: int) -> None:
    line = Line(seed)
    line.box.sync.connected(0)
    for step in range(60_000):
        now_ns = step * 50 * NS_PER_MS
        if step < 2_000 and line.dice.random() < 0.01:
            line.cut(now_ns)
        line.carry(now_ns)
        if line.dice.random() < 0.05:
            line.remind()
        if line.is_finished():
            break
    assert line.is_finished()
    sequences = sorted(sequence for _, sequence in line.headquarters.records)
    assert sequences == list(range(1, line.box.settled + 1))
    assert not line.headquarters.forked
    assert line.box.sync.incident == ""


def test_every_message_of_blocks_and_every_greeting_is_signed() -> None:
    box = Box(chain(3))
    box.sync.connected(0)
    [hello] = box.send(0)
    assert isinstance(hello, Hello)
    statement = hello_statement(VOICE.names, hello.signed_part())
    assert is_signed(KEY.public, statement, bytes.fromhex(hello.signature))
    box.receive(committed(box, 0), 0)
    after = box.sync.next_after()
    assert after == 0
    box.sync.blocks_loaded(box.blocks, 6, 0)
    [burst] = box.sync.messages_to_send()
    assert isinstance(burst, BlocksSent)
    assert is_signed(KEY.public, end_statement(box.blocks[-1]), burst.signature)
    assert box.sync.next_after() is None


def test_only_what_is_missing_is_sent_again() -> None:
    box = welcomed(6)
    assert data(box.send(0)) == box.blocks
    asked = committed(box, 4, is_resend=True).model_copy(update={"missing_through": 8})
    box.receive(asked, SECOND_NS)
    assert data(box.send(SECOND_NS)) == box.blocks[2:4]
    box.receive(committed(box, 12), SECOND_NS)
    assert (box.settled, data(box.send(SECOND_NS))) == (12, [])


def test_what_happens_now_is_shown_ahead_of_a_backlog_and_bounded() -> None:
    box = welcomed(3)
    box.sync.messages_to_send()
    box.sync.journaled(60_000)
    # What waited at the welcome, and what will be committed at once, is not shown.
    assert box.sync.show_after() == 60_000 - LIVE_RECORDS_MAX
    box.sync.show_loaded([box.blocks[0]], 60_000)
    assert box.sync.show_after() is None
    [shown] = box.sync.messages_to_send()
    assert isinstance(shown, BlocksSent)
    assert shown.is_ahead
    box.sync.journaled(60_001)
    assert box.sync.show_after() == 60_000
    box.sync.show_loaded([], 60_001)
    assert (box.sync.show_after(), box.sync.messages_to_send()) == (None, [])


def test_nothing_is_shown_ahead_while_little_waits() -> None:
    box = welcomed(3)
    box.sync.journaled(LIVE_BEHIND_RECORDS)
    assert box.sync.show_after() is None


@pytest.mark.parametrize("common", range(0, 41, 2))
def test_where_histories_part_is_found_exactly(common: int) -> None:
    box = welcomed(20)
    box.receive(Committed(epoch=EPOCH.hex(), through=50, head="11" * 32), 0)
    for _ in range(10):
        hellos = [m for m in box.send(0) if isinstance(m, Hello) and m.trail]
        if box.parted is not None:
            break
        held = [place for place in hellos[-1].trail if place.through <= common]
        through, head = (held[0].through, held[0].head) if held else (0, NO_HASH.hex())
        asked = hellos[-1].trail[0].through
        late = Parted(epoch=EPOCH.hex(), asked_through=asked + 1, through=0, head="11" * 32)
        box.receive(late, 0)
        answer = Parted(epoch=EPOCH.hex(), asked_through=asked, through=through, head=head)
        box.receive(answer, 0)
        box.receive(answer, 0)
    assert box.parted == common


def test_a_word_about_parting_that_nobody_asked_for_means_nothing() -> None:
    box = welcomed(3)
    box.receive(Parted(epoch=EPOCH.hex(), asked_through=2, through=2, head="11" * 32), 0)
    assert (box.sync.phase, box.parted) == (Phase.SENDING, None)
    assert box.sync.trail_made([], 0) is None


def test_the_time_is_believed_once_and_only_as_the_answer_to_the_last_question() -> None:
    box = welcomed()
    box.sync.messages_to_send()
    box.sync.ask_time(7)
    box.sync.ask_time(9)
    assert box.sync.messages_to_send() == [TimeAsked(mono_ns=7), TimeAsked(mono_ns=9)]
    told = TimeTold(mono_ns=9, time_ns=1_000, error_ns=3, is_synced=True)
    unsteered = told.model_copy(update={"is_synced": False})
    for message in (told.model_copy(update={"mono_ns": 7}), unsteered, told, told):
        box.receive(message, 20)
    assert box.heard == [TimeHeard(asked_ns=9, told_ns=1_000, error_ns=3, heard_ns=20)]


def test_nobody_is_asked_for_the_time_while_away() -> None:
    box = Box(chain(1))
    box.sync.ask_time(7)
    assert box.sync.messages_to_send() == []
