"""Takes boxes into service and out of it."""

from sqlalchemy import Connection, Engine

from agreed.directives import Code, Directive, PutCredential, PutOrder, Role
from agreed.signing import fingerprint
from agreed.words import say
from cloud.database import fleet, masters, promising
from cloud.database.engine import writing
from cloud.database.fleet import BoxName
from cloud.database.keys import BY_IMPORT, BY_PERSON, known_key, pin_key
from cloud.ingest.incidents import IncidentKind
from cloud.office.refusals import ConflictError, UnknownError
from cloud.office.sites import hold_site


def add_box(engine: Engine, name: BoxName, stream: bytes, now_ms: int) -> bool:
    """Add a pending box; False if it is there already. `stream` is 16 random bytes.

    Raises:
        UnknownError: no such site.
    """
    with writing(engine) as connection:
        hold_site(connection, name.place)
        if fleet.find_box(connection, name) is not None:
            return False
        fleet.add_box(connection, name, stream, now_ms)
        return True


def accept_box(
    engine: Engine, name: BoxName, stream: bytes, now_ms: int, expected: str | None = None
) -> int:
    """Take a box into service: a new directive stream tells it all that is in force.

    The key that a pending box has named is its key from then on; one that never spoke is known by
    the first key that it names. Another key than a known one needs a person's word.

    Args:
        engine: the store.
        name: pending or accepted; accepted anew it gets another password and begins anew.
        stream: 16 random bytes.
        now_ms: ms.
        expected: fingerprint of the key that the person has seen at the box, None if unseen.

    Returns:
        the number of its broker password, from 1.

    Raises:
        UnknownError: no such box.
        ConflictError: the box has named another key than the expected one.
    """
    with writing(engine) as connection:
        hold_site(connection, name.place)
        box = fleet.find_box(connection, name)
        if box is None:
            raise _unknown(name)
        is_first = box.offered_key is not None and box.key_number is None
        if is_first or expected is not None:
            _pin_offered(connection, name, expected, now_ms)
        number: int = box.credential_number + 1
        fleet.change_box(
            connection, name, status="accepted", accepted_at_ms=now_ms, credential_number=number
        )
        _begin_stream(connection, name, stream, now_ms)
        return number


def accept_key(engine: Engine, name: BoxName, expected: str, now_ms: int) -> None:
    """Know a box by the key that it names now: it was replaced, or its key file was lost.

    What it signed with its old key stays as it is, and stays verified.

    Args:
        engine: the store.
        name: a box that named another key.
        expected: fingerprint of the key that the person has seen at the box.
        now_ms: ms.

    Raises:
        UnknownError: no such box.
        ConflictError: it names no other key, or another one than expected.
    """
    with writing(engine) as connection:
        hold_site(connection, name.place)
        if fleet.find_box(connection, name) is None:
            raise _unknown(name)
        _pin_offered(connection, name, expected, now_ms)
        for kind in (IncidentKind.OTHER_KEY, IncidentKind.UNSIGNED):
            fleet.resolve_incident(connection, name, kind, now_ms)


def know_importer(engine: Engine, name: BoxName, public: bytes, now_ms: int) -> None:
    """Know a box that is no box but a program of headquarters' own, by the key of this run.

    Raises:
        UnknownError: no such box.
    """
    with writing(engine) as connection:
        hold_site(connection, name.place)
        if fleet.find_box(connection, name) is None:
            raise _unknown(name)
        pin_key(connection, name, public, BY_IMPORT, now_ms)


def begin_stream_anew(engine: Engine, name: BoxName, stream: bytes, now_ms: int) -> None:
    """Tell a box everything again: it knows of directives that headquarters does not."""
    with writing(engine) as connection:
        hold_site(connection, name.place)
        _begin_stream(connection, name, stream, now_ms)


def retire_box(engine: Engine, name: BoxName, now_ms: int) -> None:
    """Take a box out of service: nothing waits for its word any more.

    Raises:
        UnknownError: no such box.
        ConflictError: it is retired already.
    """
    with writing(engine) as connection:
        hold_site(connection, name.place)
        box = fleet.find_box(connection, name)
        if box is None:
            raise _unknown(name)
        if box.status == "retired":
            raise ConflictError("box", say("Box {box} is retired already.", box=name.box))
        fleet.change_box(connection, name, status="retired", last_heard_at_ms=now_ms)


def resolve_incidents(engine: Engine, name: BoxName, now_ms: int) -> int:
    """Note that a person has looked at a box; its blocks are taken again.

    Raises:
        UnknownError: no such box.
    """
    with writing(engine) as connection:
        hold_site(connection, name.place)
        if fleet.find_box(connection, name) is None:
            raise _unknown(name)
        return fleet.resolve_incidents(connection, name, now_ms)


def put_order_directives(orders: list[promising.NewOrder]) -> list[Directive]:
    """Write orders as directives."""
    return [
        PutOrder(order=order.order_id, pack=order.pack, nodes=order.nodes, codes=order.codes)
        for order in orders
    ]


def _begin_stream(connection: Connection, name: BoxName, stream: bytes, now_ms: int) -> None:
    fleet.change_box(
        connection, name, directive_stream=stream, directives_through=0, applied_through=0
    )
    cards: list[Directive] = [
        PutCredential(
            card=row.card,
            subject=row.subject,
            role=Role(row.role),
            valid_from_ms=row.valid_from_ms,
            valid_until_ms=row.valid_until_ms,
        )
        for row in masters.credentials_in_force(connection, name.place, now_ms)
    ]
    rows = promising.open_orders(connection, name.place)
    nodes = promising.promised_nodes(connection, name.place, [row.order_id for row in rows])
    orders: list[Directive] = [
        PutOrder(
            order=row.order_id,
            pack=row.pack,
            nodes=nodes[row.order_id],
            codes=[Code.model_validate_json(code) for code in row.codes],
        )
        for row in rows
    ]
    fleet.direct(connection, [name], [*cards, *orders], now_ms)


def _pin_offered(connection: Connection, name: BoxName, expected: str | None, now_ms: int) -> None:
    box = fleet.find_box(connection, name)
    assert box is not None
    known = known_key(connection, name)
    public = box.offered_key
    if public is None and known is not None and expected == fingerprint(known.public):
        return
    if public is None:
        raise ConflictError(
            "fingerprint",
            say("Box {box} has named no other key; let it connect once.", box=name.box),
        )
    if expected is not None and expected.strip().lower() != fingerprint(public):
        raise ConflictError(
            "fingerprint",
            say(
                "Box {box} names a key with fingerprint {fingerprint}; if the box itself shows "
                "another, somebody stands in between.",
                box=name.box,
                fingerprint=fingerprint(public),
            ),
        )
    pin_key(connection, name, public, BY_PERSON, now_ms)


def _unknown(name: BoxName) -> UnknownError:
    return UnknownError(
        "box",
        say("There is no box {box} at {site}; add it first.", box=name.box, site=name.site),
    )
