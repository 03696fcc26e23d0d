"""Directives are applied in order, each once, durably; what is not understood is kept aside."""

from contextlib import closing
from pathlib import Path

import apsw
import pytest

from agreed.directives import (
    Directive,
    EndCredential,
    EndOrder,
    PutCredential,
    encode_directive,
)
from edge.learned import NO_STREAM, LearnedStore, Lesson
from edge.store import StoreDamagedError, StoreError
from tests.edge.stand_in import CARD, STREAM, credential, order

OTHER = "cd" * 16
ALL: list[Directive] = [credential(), order("o-1"), order("o-2")]


def opened(folder: Path) -> LearnedStore:
    return LearnedStore(folder / "learned.db")


def texts(*directives: Directive) -> list[str]:
    return [encode_directive(directive) for directive in directives]


def test_it_begins_knowing_nothing(tmp_path: Path) -> None:
    store = opened(tmp_path)
    assert (store.stream, store.applied_through, store.all()) == (NO_STREAM, 0, [])


def test_what_was_applied_is_there_after_a_restart(tmp_path: Path) -> None:
    lesson = opened(tmp_path).apply(STREAM, 1, texts(*ALL))
    assert lesson == Lesson(is_new_stream=True, directives=tuple(ALL))
    store = opened(tmp_path)
    assert (store.stream, store.applied_through) == (STREAM, 3)
    assert store.all() == ALL


def test_what_came_before_is_not_applied_twice(tmp_path: Path) -> None:
    store = opened(tmp_path)
    store.apply(STREAM, 1, texts(*ALL[:2]))
    assert store.apply(STREAM, 1, texts(*ALL[:2])) == Lesson()
    assert store.apply(STREAM, 2, texts(*ALL[1:])) == Lesson(directives=(ALL[2],))


def test_nothing_is_applied_before_what_comes_first(tmp_path: Path) -> None:
    store = opened(tmp_path)
    store.apply(STREAM, 1, texts(ALL[0]))
    assert store.apply(STREAM, 3, texts(ALL[2])) is None
    assert store.apply(OTHER, 2, texts(ALL[1])) is None
    assert (store.stream, store.applied_through) == (STREAM, 1)


def test_an_end_removes_and_a_new_one_replaces(tmp_path: Path) -> None:
    store = opened(tmp_path)
    renamed = PutCredential(**dict(credential()) | {"subject": "w-2"})
    store.apply(STREAM, 1, texts(*ALL, renamed, EndOrder(order="o-1")))
    assert store.all() == [renamed, ALL[2]]
    store.apply(STREAM, 6, texts(EndCredential(card=CARD)))
    assert store.all() == [ALL[2]]


def test_a_new_stream_begins_anew(tmp_path: Path) -> None:
    store = opened(tmp_path)
    store.apply(STREAM, 1, texts(*ALL))
    lesson = store.apply(OTHER, 1, texts(ALL[1]))
    assert lesson == Lesson(is_new_stream=True, directives=(ALL[1],))
    assert (store.stream, store.applied_through, store.all()) == (OTHER, 1, [ALL[1]])


def test_a_directive_of_a_newer_headquarters_stops_nothing(tmp_path: Path) -> None:
    store = opened(tmp_path)
    lesson = store.apply(STREAM, 1, ['{"kind": "put_weather"}', "no json", *texts(ALL[0])])
    assert lesson == Lesson(is_new_stream=True, directives=(ALL[0],), passed_over=2)
    assert (store.applied_through, store.passed_over()) == (3, 2)


def test_a_failure_in_the_middle_applies_nothing(tmp_path: Path) -> None:
    store = opened(tmp_path)
    store.apply(STREAM, 1, texts(ALL[0]))
    store._store.execute("PRAGMA query_only = 1")
    with pytest.raises(StoreError):
        store.apply(STREAM, 2, texts(*ALL[1:]))
    assert (store.applied_through, store.all()) == (1, ALL[:1])
    store.close()
    assert opened(tmp_path).all() == ALL[:1]


def test_what_this_version_does_not_understand_does_not_stop_the_start(tmp_path: Path) -> None:
    store = opened(tmp_path)
    store.apply(STREAM, 1, texts(*ALL))
    store._store.execute("UPDATE orders SET directive = '{}' WHERE name = 'o-1'")
    assert store.all() == [ALL[0], ALL[2]]


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE cursor SET stream = CAST(x'ff' AS TEXT)",
        "UPDATE orders SET directive = CAST(x'ff' AS TEXT)",
        "DROP TABLE orders; CREATE TABLE orders (name TEXT PRIMARY KEY)",
    ],
)
def test_damage_anywhere_shows_when_the_store_is_opened(tmp_path: Path, statement: str) -> None:
    store = opened(tmp_path)
    store.apply(STREAM, 1, texts(*ALL))
    store.close()
    with closing(apsw.Connection(str(tmp_path / "learned.db"))) as own:
        own.execute(statement)
    with pytest.raises(StoreDamagedError):
        opened(tmp_path)
