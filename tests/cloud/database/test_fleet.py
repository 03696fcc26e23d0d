from agreed.directives import EndOrder
from agreed.limits import DIRECTIVES_PER_MESSAGE_MAX
from agreed.messages import DirectivesSent, encode_message
from cloud.database import fleet
from cloud.database.engine import reading, writing
from cloud.database.fleet import BoxName, Place
from cloud.ingest.decision import Holding
from cloud.office.boxes import accept_box, add_box
from cloud.office.sites import WorkerRequest, put_workers
from tests.cloud.world import BOX, LATER, PLACE, STREAM, T0, Chain, World, alive


def test_a_site_that_is_not_there_is_not_locked(world: World) -> None:
    with writing(world.engine) as connection:
        assert fleet.lock_site(connection, Place("acme", "south")) is None
        assert fleet.lock_site(connection, PLACE) == 0


def test_a_journal_is_held_from_its_first_word(world: World) -> None:
    with writing(world.engine) as connection:
        assert fleet.find_journal(connection, BOX, b"n" * 16) is None
        fleet.begin_journal(connection, BOX, b"n" * 16, T0)
        assert fleet.find_journal(connection, BOX, b"n" * 16) == Holding()


def test_a_site_is_covered_as_far_as_its_slowest_box(world: World) -> None:
    second = BoxName("acme", "north", "second")
    add_box(world.engine, second, STREAM, T0)

    def covered() -> int:
        with reading(world.engine) as connection:
            return fleet.site_coverage(connection, PLACE)

    world.tell(alive(T0 + 9))
    assert covered() == T0 + 9 - 50
    accept_box(world.engine, second, STREAM, T0)
    world.know(second)
    assert covered() == 0
    world.send(Chain(box=second).block(alive(T0 + 5)), box=second)
    assert covered() == T0 + 5 - 50
    # A new journal of a box does not forget what its old one proved.
    world.send(Chain(box=second, epoch=b"n" * 16).block(alive(T0 + 1)), box=second)
    assert covered() == T0 + 5 - 50


def test_directives_are_numbered_and_fit_one_message(world: World) -> None:
    many = [EndOrder(order=f"{'业' * 20}{i:03}") for i in range(450)]
    with writing(world.engine) as connection:
        fleet.direct(connection, [BOX], list(many[:1]), T0)
        fleet.direct(connection, [BOX], list(many[1:]), T0)
        fleet.direct(connection, [], list(many), T0)
    after, read = 0, 0
    with reading(world.engine) as connection:
        while found := fleet.directives_after(connection, BOX, STREAM, after):
            assert len(found) <= DIRECTIVES_PER_MESSAGE_MAX
            message = DirectivesSent(stream=STREAM.hex(), first=after + 1, directives=found)
            encode_message(message)
            after, read = after + len(found), read + len(found)
        [(name, stream, through, applied)] = fleet.directive_cursors(connection, "acme")
    assert read == through == 450
    assert (name, stream, applied) == (BOX, STREAM, 0)


def test_large_directives_still_fit(world: World) -> None:
    worker = '"' * 60
    put_workers(world.engine, PLACE, [WorkerRequest(worker=worker, name="W")], T0)
    nodes = [{"key": "finish", "promised_at_ms": T0}]
    for i in range(30):
        world.order('"' * 30 + str(i), nodes=nodes, worker=worker)
    with reading(world.engine) as connection:
        found = fleet.directives_after(connection, BOX, STREAM, 0)
    encode_message(DirectivesSent(stream=STREAM.hex(), first=1, directives=found))


def test_the_same_incident_is_told_once(world: World) -> None:
    with writing(world.engine) as connection:
        for _ in range(3):
            fleet.open_incident(connection, BOX, "malformed", {}, LATER)
        fleet.open_incident(connection, BOX, "forked", {}, LATER)
        assert fleet.resolve_incidents(connection, BOX, LATER) == 2


def test_passwords_are_numbered(world: World) -> None:
    with reading(world.engine) as connection:
        assert fleet.credential_numbers(connection, "acme") == [(BOX, 1)]
        assert fleet.credential_numbers(connection, "other") == []
