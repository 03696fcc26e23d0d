from edge.decisions import Draft
from tests.simulators.world.small import small


def test_what_a_box_accepts_reaches_headquarters_and_is_settled() -> None:
    with small() as world:
        world.act("one")
        world.run(10)
        life = world.box.life
        assert life is not None
        assert world.held() == life.sync.acknowledged == life.journal.committed.through == 2
        assert world.seen.accepted[world.box.name.box] == ["n-0", "one"]
        assert world.seen.broken == []


def test_a_box_that_is_killed_goes_on_where_it_was() -> None:
    with small() as world:
        world.act("one")
        world.box.crash([], is_power_cut=False, operations=None)
        assert world.box.life is None
        world.act("unseen")
        world.run(20)
        assert world.held() == 3
        assert world.seen.accepted[world.box.name.box] == ["n-0", "one", "n-2"]


def test_a_record_that_died_while_it_was_written_was_not_accepted() -> None:
    with small() as world:
        draft = Draft("gate-1", "gate_passed", "w-1", detail="dying")
        world.box.crash([draft], is_power_cut=True, operations=1)
        assert "dying" not in world.seen.accepted[world.box.name.box]
        assert world.seen.unsure[world.box.name.box] == ["dying"]
        world.run(20)
        assert world.box.life is not None


def test_a_box_may_end_with_a_message_that_it_hears() -> None:
    with small() as world:
        world.run(10)
        for operations in (0, 50):
            world.box.doom(operations)
            world.act(f"before {operations}")
            world.run(0.2)
            assert world.box.life is None
            world.run(20)
            assert world.box.life is not None
        assert world.held() == 5
        assert world.seen.broken == []


def test_a_full_card_takes_nothing_and_the_box_lives() -> None:
    with small() as world:
        world.box.card.is_full = True
        world.act("no room")
        assert world.seen.accepted[world.box.name.box] == ["n-0"]
        world.box.card.is_full = False
        world.act("room")
        world.run(10)
        assert world.held() == 2
