import pytest

from agreed.directives import PutCredential, PutOrder, decode_directive
from cloud import reads
from cloud.database.engine import reading
from cloud.database.fleet import BoxName, directives_after
from cloud.office.boxes import (
    accept_box,
    add_box,
    begin_stream_anew,
    resolve_incidents,
    retire_box,
)
from cloud.office.refusals import ConflictError, UnknownError
from cloud.office.sites import CredentialRequest, put_credentials
from tests.cloud.world import BOX, HOUR, LATER, PLACE, T0, World, alive

SECOND = BoxName("acme", "north", "second")
STREAM = b"s" * 16


def told(world: World, name: BoxName, stream: bytes) -> list[object]:
    with reading(world.engine) as connection:
        return [decode_directive(t) for t in directives_after(connection, name, stream, 0)]


def test_a_box_that_comes_later_learns_what_is_in_force(world: World) -> None:
    card = CredentialRequest(
        subject="w-1", role="worker", valid_from_ms=T0, valid_until_ms=LATER + HOUR
    )
    past = card.model_copy(update={"valid_until_ms": T0 + 1})
    put_credentials(world.engine, PLACE, {"c-1": card, "c-2": past}, T0)
    world.order("o-1")
    assert add_box(world.engine, SECOND, STREAM, T0)
    assert accept_box(world.engine, SECOND, STREAM, LATER) == 1
    cards, orders = told(world, SECOND, STREAM)
    assert isinstance(cards, PutCredential)
    assert cards.card == "c-1"
    assert isinstance(orders, PutOrder)
    assert orders.order == "o-1"
    # Accepted again: another password, and all anew.
    assert accept_box(world.engine, SECOND, b"t" * 16, LATER) == 2
    assert len(told(world, SECOND, b"t" * 16)) == 2
    begin_stream_anew(world.engine, SECOND, b"u" * 16, LATER)
    assert len(told(world, SECOND, b"u" * 16)) == 2


def test_a_retired_box_holds_nothing_up(world: World) -> None:
    add_box(world.engine, SECOND, STREAM, T0)
    accept_box(world.engine, SECOND, STREAM, T0)
    world.order("o-1")
    world.tell(alive(T0 + 9 * HOUR))
    assert {v.name for v in world.verdicts("o-1").values()} == {"OPEN"}
    retire_box(world.engine, SECOND, LATER)
    world.tell(alive(T0 + 9 * HOUR + 1))
    assert {v.name for v in world.verdicts("o-1").values()} == {"MISSED"}
    with pytest.raises(ConflictError):
        retire_box(world.engine, SECOND, LATER)


def test_an_unknown_box_is_named(world: World) -> None:
    with pytest.raises(UnknownError, match="second"):
        accept_box(world.engine, SECOND, STREAM, T0)
    with pytest.raises(UnknownError, match="second"):
        retire_box(world.engine, SECOND, T0)
    with pytest.raises(UnknownError, match="second"):
        resolve_incidents(world.engine, SECOND, T0)
    with pytest.raises(UnknownError, match="south"):
        add_box(world.engine, BoxName("acme", "south", "b"), STREAM, T0)


def test_an_incident_is_resolved_once(world: World) -> None:
    world.send(b"damage")
    assert resolve_incidents(world.engine, BOX, LATER) == 1
    assert resolve_incidents(world.engine, BOX, LATER) == 0
    with reading(world.engine) as connection:
        [incident] = reads.incidents(connection, "acme", site="north", box="gate-box")
    assert (incident.kind, incident.resolved_at_ms) == ("malformed", LATER)
