from pathlib import Path

import pysqlite3.dbapi2 as sqlite
import pytest

from simulators.world.judging import Left, judge, rows_count
from tests.simulators.world.small import Small, small


def left_by(world: Small) -> Left:
    folder, name = world.box.card.folder, world.box.name
    store = folder.parent / "headquarters.db"
    journal, learned = folder / "journal.db", folder / "learned.db"
    return Left(store, name.site, {name.box: journal}, {name.box: learned})


def changed(path: Path, *statements: str) -> None:
    with sqlite.connect(str(path)) as db:
        for statement in statements:
            db.execute(statement)


def test_an_honest_world_is_not_blamed() -> None:
    with small() as world:
        world.act("one")
        world.run(20)
        left = left_by(world)
        judgement = judge(left, world.seen)
        assert judgement.faults == []
        assert judgement.records == 2
        assert rows_count(left.store)["records"] == 2


DAMAGE = {
    "not at headquarters": ("DROP TRIGGER records_delete", "DELETE FROM records WHERE sequence=2"),
    "true time lies outside": (
        "DROP TRIGGER records_update",
        "UPDATE records SET wall_ms = wall_ms + 900000",
    ),
    "believes more than": (
        "UPDATE journals SET committed_through = 0",
        "UPDATE sites SET covered_until_ms = covered_until_ms",
    ),
    "learned is not what was told": (
        "DROP TRIGGER directives_update",
        "UPDATE directives SET content = replace(content, 'w-1', 'w-2')",
    ),
    "account is not the sum": (
        "DROP TRIGGER accounts_update",
        "UPDATE accounts SET debits_fen = debits_fen + 1, credits_fen = credits_fen + 1",
    ),
    "do not follow from the records": (
        "UPDATE sites SET covered_until_ms = covered_until_ms + 90000000000",
        "UPDATE boxes SET incident = NULL",
    ),
}


@pytest.mark.parametrize("sentence", DAMAGE)
def test_each_damage_is_named(sentence: str) -> None:
    with small() as world:
        world.act("one")
        world.run(20)
        world.act("last")
        world.run(20)
        left = left_by(world)
        changed(left.store, *DAMAGE[sentence])
        assert sentence in " ".join(judge(left, world.seen).faults)


def test_what_happened_and_was_told_otherwise_is_named() -> None:
    with small() as world:
        world.act("one")
        world.run(20)
        box = world.box.name.box
        world.seen.accepted[box].reverse()
        world.seen.acted[box, "s"] += [1, 1]
        world.seen.forged = 1
        world.seen.blame("seen on the way")
        said = " ".join(judge(left_by(world), world.seen).faults)
        for sentence in ("order of their", "acted upon twice", "nobody was told", "on the way"):
            assert sentence in said
