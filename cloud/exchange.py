"""What headquarters does with what boxes say: commits it, then says what to answer."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field

from sqlalchemy import Connection, Engine, Row

from agreed.messages import (
    Applied,
    BlockSent,
    BlocksSent,
    Committed,
    DirectivesSent,
    Hello,
    Message,
    Status,
)
from agreed.signing import fingerprint, hello_statement, is_signed
from cloud.database import fleet
from cloud.database.engine import reading, writing
from cloud.database.fleet import BoxName
from cloud.database.keys import BY_FIRST_WORD, known_key, pin_key
from cloud.greeting import common_place, note_set_back, offer_key
from cloud.ingest.checking import Arrival
from cloud.ingest.commit import Ingested, ingest_blocks
from cloud.ingest.early import EarlyBlocks
from cloud.ingest.incidents import IncidentKind
from cloud.ingest.retiming import Agreements
from cloud.ingest.standing import STRANGER, hold_journal, refused, standing_of
from cloud.office.boxes import begin_stream_anew
from cloud.outbox import Cursor, Wanted

Said = tuple[BoxName, Message]


@dataclass(slots=True)
class Outcome:
    """What came of a batch of messages.

    Attributes:
        answers: to publish now: everything they confirm is committed.
        welcomed: boxes that said where they are, with stream and number applied.
        applied: likewise, boxes that applied directives.
        records, verdicts: how many were new.
        is_directed: whether there are new directives.
    """

    answers: list[Said] = field(default_factory=list)
    welcomed: list[tuple[BoxName, bytes, int]] = field(default_factory=list)
    applied: list[tuple[BoxName, bytes, int]] = field(default_factory=list)
    records: int = 0
    verdicts: int = 0
    is_directed: bool = False


def exchange(
    engine: Engine,
    batch: Sequence[Said],
    now_ms: int,
    early: EarlyBlocks | None = None,
    agreements: Agreements | None = None,
) -> Outcome:
    """Take in messages of any boxes; when it returns, everything is committed.

    Blocks go first, so that an answer to a greeting in the same batch tells of them too.

    Args:
        engine: the store.
        batch: in the order of arrival.
        now_ms: headquarters' clock, ms.
        early: keeps what came before what precedes it; None to ask for it again.
        agreements: what is remembered of boots that spoke before; None for nothing.
    """
    outcome = Outcome()
    arrivals = [arrival for box, m in batch if (arrival := _arrival(box, m)) is not None]
    if arrivals:
        memory = early or EarlyBlocks(), agreements or Agreements()
        _ingest(engine, outcome, arrivals, now_ms, memory)
    rest = [(box, m) for box, m in batch if not isinstance(m, BlockSent | BlocksSent)]
    ahead = [box for box, m in rest if isinstance(m, Hello) and _knows_more(engine, box, m)]
    for box in ahead:
        begin_stream_anew(engine, box, secrets.token_bytes(16), now_ms)
        outcome.is_directed = True
    if rest:
        with writing(engine) as connection:
            for box, message in rest:
                _take(connection, outcome, box, message, now_ms)
    return outcome


def _arrival(box: BoxName, message: Message) -> Arrival | None:
    if isinstance(message, BlockSent):
        return Arrival(box, [message.data], b"")  # of a box without a key: refused as unsigned
    if isinstance(message, BlocksSent) and not message.is_ahead:
        return Arrival(box, message.blocks, message.signature)
    return None


def _ingest(
    engine: Engine,
    outcome: Outcome,
    arrivals: list[Arrival],
    now_ms: int,
    memory: tuple[EarlyBlocks, Agreements],
) -> None:
    """Take in blocks, then those kept from before that follow them."""
    early, agreements = memory
    answers: dict[BoxName, Message] = {}
    while arrivals:
        ingested = ingest_blocks(engine, arrivals, now_ms, agreements)
        answers |= ingested.answers
        outcome.records += ingested.records
        outcome.verdicts += ingested.verdicts
        outcome.is_directed |= ingested.is_directed
        for one in ingested.early:
            message = BlocksSent(blocks=one.data, signature=one.signature)
            early.keep((one.box, one.epoch.hex()), one.first, message)
        arrivals = _following(ingested, early)
    outcome.answers += answers.items()


def _following(ingested: Ingested, early: EarlyBlocks) -> list[Arrival]:
    found = []
    for box, answer in ingested.answers.items():
        if isinstance(answer, Committed):
            message = early.next_after((box, answer.epoch), answer.through)
            if message is not None:
                found.append(Arrival(box, message.blocks, message.signature))
    return found


def cursors(engine: Engine, company: str) -> dict[BoxName, Cursor]:
    """Read how far the directives of every accepted box have come."""
    with reading(engine) as connection:
        return {
            name: Cursor(stream, through, applied)
            for name, stream, through, applied in fleet.directive_cursors(connection, company)
        }


def load(engine: Engine, wanted: Sequence[Wanted]) -> list[tuple[Wanted, DirectivesSent]]:
    """Read the directives that are to be sent."""
    found = []
    with reading(engine) as connection:
        for one in wanted:
            content = fleet.directives_after(connection, one.box, one.stream, one.after)
            if content:
                message = DirectivesSent(
                    stream=one.stream.hex(), first=one.after + 1, directives=content
                )
                found.append((one, message))
    return found


def note_presence(engine: Engine, present: dict[BoxName, bool], now_ms: int) -> None:
    """Note which boxes are connected."""
    with writing(engine) as connection:
        for name, is_online in present.items():
            values = {"last_heard_at_ms": now_ms} if is_online else {}
            fleet.change_box(connection, name, is_online=is_online, presence_at_ms=now_ms, **values)


def _knows_more(engine: Engine, name: BoxName, hello: Hello) -> bool:
    """Say whether a box has applied directives that headquarters does not have."""
    with reading(engine) as connection:
        box = fleet.find_box(connection, name)
    return (
        box is not None
        and box.status == "accepted"
        and box.directive_stream.hex() == hello.directive_stream
        and box.directives_through < hello.applied_through
    )


def _take(
    connection: Connection, outcome: Outcome, name: BoxName, message: Message, now_ms: int
) -> None:
    is_site = fleet.lock_site(connection, name.place) is not None
    standing = standing_of(connection, name, now_ms) if is_site else None
    if standing is None:
        if isinstance(message, Hello):
            if is_site and _is_own(name, message):
                offer_key(connection, name, message)
            outcome.answers.append((name, STRANGER))
        return
    box = fleet.find_box(connection, name)
    assert box is not None
    fleet.change_box(connection, name, last_heard_at_ms=now_ms)
    if isinstance(message, Hello):
        _greet(connection, outcome, box, message, now_ms)
    elif isinstance(message, Applied):
        if box.directive_stream.hex() == message.stream:
            through = min(message.through, box.directives_through)
            fleet.change_box(connection, name, applied_through=max(through, box.applied_through))
            outcome.applied.append((name, box.directive_stream, through))
    elif isinstance(message, Status):
        status = message.model_dump(mode="json")
        fleet.change_box(connection, name, last_status=status, last_status_at_ms=now_ms)


def _greet(
    connection: Connection,
    outcome: Outcome,
    box: Row[tuple[object, ...]],
    hello: Hello,
    now_ms: int,
) -> None:
    name = BoxName(box.company, box.site, box.box)
    kind = _distrust(connection, name, hello, now_ms)
    if kind is not None:
        outcome.answers.append((name, refused(kind, "")))
        return
    held = hold_journal(connection, name, bytes.fromhex(hello.epoch), now_ms)
    if held.is_refused:
        outcome.answers.append((name, refused(IncidentKind.FORKED, "")))
    else:
        committed = Committed(epoch=hello.epoch, through=held.through, head=held.head.hex())
        outcome.answers.append((name, committed))
    if hello.trail:
        parted = common_place(connection, name, hello)
        note_set_back(connection, name, hello, held, parted, now_ms)
        outcome.answers.append((name, parted))
    is_same = box.directive_stream.hex() == hello.directive_stream
    applied = hello.applied_through if is_same else 0
    fleet.change_box(connection, name, applied_through=applied)
    outcome.welcomed.append((name, box.directive_stream, applied))


def _distrust(
    connection: Connection, name: BoxName, hello: Hello, now_ms: int
) -> IncidentKind | None:
    """Say why a greeting is not believed; its first key is the box's from then on."""
    if not _is_own(name, hello):
        detail = {"error": "greeting" if hello.key else "greeting without a key"}
        fleet.open_incident(connection, name, IncidentKind.UNSIGNED, detail, now_ms)
        return IncidentKind.UNSIGNED
    known, public = known_key(connection, name), bytes.fromhex(hello.key)
    if known is None:
        pin_key(connection, name, public, BY_FIRST_WORD, now_ms)
    elif known.public != public:
        offer_key(connection, name, hello)
        detail = {"known": fingerprint(known.public), "offered": fingerprint(public)}
        fleet.open_incident(connection, name, IncidentKind.OTHER_KEY, detail, now_ms)
        return IncidentKind.OTHER_KEY
    return None


def _is_own(name: BoxName, hello: Hello) -> bool:
    statement = hello_statement(name, hello.signed_part())
    return is_signed(bytes.fromhex(hello.key), statement, bytes.fromhex(hello.signature))
