"""Takes boxes into service and out of it."""

from sqlalchemy import Connection, Engine

from agreed.directives import Code, Directive, PutCredential, PutOrder, Role
from agreed.words import say
from cloud.database import fleet, masters, promising
from cloud.database.engine import writing
from cloud.database.fleet import BoxName
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


def accept_box(engine: Engine, name: BoxName, stream: bytes, now_ms: int) -> int:
    """Take a box into service: a new directive stream tells it all that is in force.

    Args:
        engine: the store.
        name: pending or accepted; accepted anew it gets another password and begins anew.
        stream: 16 random bytes.
        now_ms: ms.

    Returns:
        the number of its broker password, from 1.

    Raises:
        UnknownError: no such box.
    """
    with writing(engine) as connection:
        hold_site(connection, name.place)
        box = fleet.find_box(connection, name)
        if box is None:
            raise _unknown(name)
        number: int = box.credential_number + 1
        fleet.change_box(
            connection, name, status="accepted", accepted_at_ms=now_ms, credential_number=number
        )
        _begin_stream(connection, name, stream, now_ms)
        return number


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


def _unknown(name: BoxName) -> UnknownError:
    return UnknownError(
        "box",
        say("There is no box {box} at {site}; add it first.", box=name.box, site=name.site),
    )
