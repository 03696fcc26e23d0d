"""Writes what headquarters knows of sites and boxes, and numbers the directives to them."""

from functools import lru_cache
from typing import Any, Final, NamedTuple

from sqlalchemy import Connection, Row, and_, bindparam, func, insert, select, update

from agreed.directives import Directive, encode_directive
from agreed.limits import CONTROL_BYTES_MAX, DIRECTIVES_PER_MESSAGE_MAX
from agreed.wire import NO_HASH
from cloud.database import schema
from cloud.ingest.decision import Holding

INCIDENTS_SHOWN_MAX: Final = 1_000
PENDING_BOXES_MAX: Final = 100
CONDITIONS_KEPT_MAX: Final = 4_096
"""Conditions that are kept once they are built: of some hundred boxes in some tables each."""

_ENVELOPE_BYTES: Final = 1_024


class Place(NamedTuple):
    """A site of a company: the unit of locking and of a ledger."""

    company: str
    site: str


class BoxName(NamedTuple):
    """A box and where it stands."""

    company: str
    site: str
    box: str

    @property
    def place(self) -> Place:
        """Give the site."""
        return Place(self.company, self.site)


@lru_cache(CONDITIONS_KEPT_MAX)
def at(table: Any, name: Place | BoxName) -> Any:
    """Match a table's rows of a site or of a box."""
    columns = zip(name._fields, name, strict=True)
    return and_(*(table.c[column] == value for column, value in columns))


def at_named(table: Any, kind: type[Place] | type[BoxName]) -> Any:
    """Match a table's rows of the site or box that is `named` when the statement runs.

    A statement that is built once runs in half the time of one that is built for every message.
    """
    return and_(*(table.c[column] == bindparam(f"at_{column}") for column in kind._fields))


def named(name: Place | BoxName) -> dict[str, Any]:
    """Name a site or a box to a statement that was built with `at_named`."""
    return {f"at_{column}": part for column, part in zip(name._fields, name, strict=True)}


_LOCK_SITE: Final = (
    select(schema.sites.c.covered_until_ms).where(at_named(schema.sites, Place)).with_for_update()
)
_FIND_BOX: Final = select(schema.boxes).where(at_named(schema.boxes, BoxName))
_CHANGE_BOX: Final = update(schema.boxes).where(at_named(schema.boxes, BoxName))
_FIND_JOURNAL: Final = select(schema.journals).where(
    at_named(schema.journals, BoxName), schema.journals.c.epoch == bindparam("at_epoch")
)
_CURSORS: Final = select(
    schema.boxes.c.company,
    schema.boxes.c.site,
    schema.boxes.c.box,
    schema.boxes.c.directive_stream,
    schema.boxes.c.directives_through,
    schema.boxes.c.applied_through,
).where(schema.boxes.c.company == bindparam("at_company"), schema.boxes.c.status == "accepted")
_DIRECTIVES_AFTER: Final = (
    select(schema.directives.c.content)
    .where(
        at_named(schema.directives, BoxName),
        schema.directives.c.stream == bindparam("at_stream"),
        schema.directives.c.number > bindparam("after"),
    )
    .order_by(schema.directives.c.number)
    .limit(DIRECTIVES_PER_MESSAGE_MAX)
)


def lock_site(connection: Connection, place: Place) -> int | None:
    """Let no other writer change the site until the end of the transaction.

    Returns:
        covered_until_ms; None if there is no such site.
    """
    row = connection.execute(_LOCK_SITE, named(place)).one_or_none()
    return None if row is None else row.covered_until_ms


def find_box(connection: Connection, name: BoxName) -> Row[Any] | None:
    """Read the row of a box."""
    return connection.execute(_FIND_BOX, named(name)).one_or_none()


def change_box(connection: Connection, name: BoxName, **values: Any) -> None:
    """Set columns of a box."""
    connection.execute(_CHANGE_BOX, named(name) | values)


def add_box(connection: Connection, name: BoxName, stream: bytes, now_ms: int) -> None:
    """Add a pending box; `stream` is 16 random bytes for its directives."""
    values = name._asdict() | {"status": "pending", "added_at_ms": now_ms}
    connection.execute(insert(schema.boxes).values(**values, directive_stream=stream))


def count_pending(connection: Connection, place: Place) -> int:
    """Count the boxes that wait to be accepted."""
    query = select(func.count()).where(at(schema.boxes, place), schema.boxes.c.status == "pending")
    return connection.execute(query).scalar_one()


def accepted_boxes(connection: Connection, place: Place) -> list[BoxName]:
    """List the boxes at work at a site."""
    query = select(schema.boxes.c.box).where(
        at(schema.boxes, place), schema.boxes.c.status == "accepted"
    )
    return [BoxName(*place, box) for box in connection.execute(query).scalars()]


def find_journal(connection: Connection, name: BoxName, epoch: bytes) -> Holding | None:
    """Read how far a journal is held; None if it never spoke."""
    row = connection.execute(_FIND_JOURNAL, named(name) | {"at_epoch": epoch}).one_or_none()
    if row is None:
        return None
    return Holding(row.committed_through, row.committed_head, row.is_refused)


def begin_journal(connection: Connection, name: BoxName, epoch: bytes, now_ms: int) -> None:
    """Take note of a journal that was never heard before; it is the box's own from now on."""
    values = name._asdict() | {"epoch": epoch, "begun_at_ms": now_ms, "committed_head": NO_HASH}
    connection.execute(insert(schema.journals).values(**values))
    change_box(connection, name, epoch=epoch)


def change_journal(connection: Connection, name: BoxName, epoch: bytes, **values: Any) -> None:
    """Set columns of a journal."""
    connection.execute(
        update(schema.journals)
        .where(at(schema.journals, name), schema.journals.c.epoch == epoch)
        .values(**values)
    )


def raise_coverage(
    connection: Connection, name: BoxName, epoch: bytes, covered_until_ms: int
) -> None:
    """Move a journal's coverage forward, never back."""
    journals = schema.journals
    connection.execute(
        update(journals)
        .where(
            at(journals, name),
            journals.c.epoch == epoch,
            journals.c.covered_until_ms < covered_until_ms,
        )
        .values(covered_until_ms=covered_until_ms)
    )


def site_coverage(connection: Connection, place: Place) -> int:
    """Find until when every accepted box of a site was heard, ms; 0 without boxes."""
    boxes, journals = schema.boxes, schema.journals
    of_box = and_(*(journals.c[n] == boxes.c[n] for n in ("company", "site", "box")))
    heard = (
        select(func.coalesce(func.max(journals.c.covered_until_ms), 0).label("until"))
        .select_from(boxes.outerjoin(journals, of_box))
        .where(at(boxes, place), boxes.c.status == "accepted")
        .group_by(boxes.c.box)
        .subquery()
    )
    return int(connection.execute(select(func.coalesce(func.min(heard.c.until), 0))).scalar_one())


def cover_site(connection: Connection, place: Place, covered_until_ms: int) -> None:
    """State until when everything at a site is known."""
    connection.execute(
        update(schema.sites)
        .where(at(schema.sites, place))
        .values(covered_until_ms=covered_until_ms)
    )


def open_incident(
    connection: Connection, name: BoxName, kind: str, detail: dict[str, Any], now_ms: int
) -> None:
    """Show a person what is wrong at a box; the same kind only once until it is resolved."""
    incidents = schema.incidents
    known = select(func.count()).where(
        at(incidents, name), incidents.c.kind == kind, incidents.c.resolved_at_ms.is_(None)
    )
    if connection.execute(known).scalar_one():
        return
    last = select(func.coalesce(func.max(incidents.c.incident), 0)).where(at(incidents, name))
    number = connection.execute(last).scalar_one() + 1
    values = {"incident": number, "kind": kind, "detail": detail, "at_ms": now_ms}
    connection.execute(insert(incidents).values(**name._asdict(), **values))
    change_box(connection, name, incident=kind)


def find_incident(connection: Connection, name: BoxName, kind: str) -> dict[str, Any] | None:
    """Read what is known of an incident that waits for a person; None if there is none."""
    incidents = schema.incidents
    return connection.execute(
        select(incidents.c.detail).where(
            at(incidents, name), incidents.c.kind == kind, incidents.c.resolved_at_ms.is_(None)
        )
    ).scalar_one_or_none()


def resolve_incidents(connection: Connection, name: BoxName, now_ms: int) -> int:
    """Note that a person has looked; blocks are taken again. Gives how many were open."""
    incidents, journals = schema.incidents, schema.journals
    done = connection.execute(
        update(incidents)
        .where(at(incidents, name), incidents.c.resolved_at_ms.is_(None))
        .values(resolved_at_ms=now_ms)
    )
    connection.execute(update(journals).where(at(journals, name)).values(is_refused=False))
    change_box(connection, name, incident=None)
    return done.rowcount


def resolve_incident(connection: Connection, name: BoxName, kind: str, now_ms: int) -> None:
    """Note that one thing is put right; the box shows what else waits for a person."""
    incidents = schema.incidents
    is_open = and_(at(incidents, name), incidents.c.resolved_at_ms.is_(None))
    connection.execute(
        update(incidents).where(is_open, incidents.c.kind == kind).values(resolved_at_ms=now_ms)
    )
    left = select(incidents.c.kind).where(is_open).order_by(incidents.c.incident.desc()).limit(1)
    change_box(connection, name, incident=connection.execute(left).scalar_one_or_none())


def direct(
    connection: Connection, names: list[BoxName], directives: list[Directive], now_ms: int
) -> None:
    """Append directives to the streams of boxes."""
    for name in names:
        box = find_box(connection, name)
        assert box is not None
        first = box.directives_through + 1
        rows = [
            name._asdict()
            | {
                "stream": box.directive_stream,
                "number": first + i,
                "content": encode_directive(directive),
                "issued_at_ms": now_ms,
            }
            for i, directive in enumerate(directives)
        ]
        if rows:
            connection.execute(insert(schema.directives), rows)
            change_box(connection, name, directives_through=box.directives_through + len(rows))


def directive_cursors(
    connection: Connection, company: str
) -> list[tuple[BoxName, bytes, int, int]]:
    """Read stream, last number and last applied number of every accepted box."""
    return [
        (BoxName(company, site, box), stream, through, applied)
        for company, site, box, stream, through, applied in connection.execute(
            _CURSORS, {"at_company": company}
        )
    ]


def credential_numbers(connection: Connection, company: str) -> list[tuple[BoxName, int]]:
    """Read the number of the broker password of every accepted box."""
    boxes = schema.boxes.c
    query = (
        select(schema.boxes)
        .where(boxes.company == company, boxes.status == "accepted")
        .order_by(boxes.site, boxes.box)
    )
    return [
        (BoxName(row.company, row.site, row.box), row.credential_number)
        for row in connection.execute(query)
    ]


def directives_after(connection: Connection, name: BoxName, stream: bytes, after: int) -> list[str]:
    """Read the directives that follow a number, as many as one message may carry."""
    wanted = named(name) | {"at_stream": stream, "after": after}
    found: list[str] = []
    left = CONTROL_BYTES_MAX - _ENVELOPE_BYTES
    for content in connection.execute(_DIRECTIVES_AFTER, wanted).scalars():
        # Inside a message the JSON is a string once more: every quote of it is escaped.
        left -= len(content.encode()) + content.count('"') + content.count("\\") + 3
        if found and left < 0:
            break
        found.append(content)
    return found
