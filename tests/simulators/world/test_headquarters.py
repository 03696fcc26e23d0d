from agreed.messages import Applied, encode_message
from cloud.database.fleet import BoxName
from tests.simulators.world.small import small


def test_directives_reach_the_box() -> None:
    with small() as world:
        world.run(10)
        life = world.box.life
        assert life is not None
        assert life.learned.applied_through == world.headquarters.told(world.box.name) > 0


def test_headquarters_killed_in_a_transaction_has_committed_nothing_of_it() -> None:
    with small() as world:
        world.run(10)
        before = world.held()
        world.act("two")
        world.headquarters.crash(commits=0)
        world.run(0.5)
        assert world.seen.faults["headquarters killed in a transaction"] == 1
        assert world.held() == before
        world.run(60)
        assert world.headquarters.is_up
        assert world.held() == before + 1


def test_what_cannot_be_read_or_comes_while_it_is_down_is_dropped() -> None:
    with small() as world:
        world.headquarters.arrive(world.box.name, b"nonsense")
        world.headquarters.crash(commits=None)
        message = encode_message(Applied(stream="0" * 32, through=0))
        world.headquarters.arrive(world.box.name, message)
        world.run(60)
        assert world.held() == 1


def test_the_office_is_shut_while_headquarters_is_down() -> None:
    done: list[int] = []
    with small() as world:
        world.headquarters.office(lambda _engine, now_ms: done.append(now_ms))
        world.headquarters.crash(commits=None)
        world.headquarters.office(lambda _engine, now_ms: done.append(now_ms))
        assert len(done) == 1
        unknown = BoxName("acme", "north", "nobody")
        assert world.headquarters.holds(unknown, b"e" * 16) == 0
