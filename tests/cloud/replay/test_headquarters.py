from pathlib import Path

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import IntegrityError

from agreed.promises import Verdict
from agreed.wire import Origin
from agreed.words import RemedyError
from cloud import reads
from cloud.database.engine import reading, sqlite_url, writing
from cloud.database.fleet import BoxName, change_journal
from cloud.replay.cases import CasePromise, Fact
from cloud.replay.chain import Chain, origin_of
from cloud.replay.events import Event
from cloud.replay.headquarters import (
    BLOCKS_TOGETHER,
    ORDERS_TOGETHER,
    Headquarters,
    is_bookable,
    order_request,
    store_at,
)
from cloud.replay.mapping import Mapping
from tests.cloud.replay.logs import mapping, nothing

NOW_MS = 1_800_000_000_000
NOON_MS = 1_709_611_200_000
CLOSED, ARRIVED, LAST = mapping().promise
ORIGIN = origin_of(mapping(), bytes(32))


def headquarters(
    store: Engine, how: Mapping | None = None, origin: Origin = ORIGIN
) -> Headquarters:
    return Headquarters(store, how or mapping(), origin, lambda: NOW_MS)


def made(case: str, late_ms: int | None, worker: str = "w1") -> list[CasePromise]:
    fact = None if late_ms is None else Fact(NOON_MS + late_ms, 2, "w1")
    unknown = CasePromise(case, LAST, NOON_MS - 1, None, fact, worker)
    return [
        CasePromise(case, CLOSED, NOON_MS - 1, NOON_MS, fact, worker),
        CasePromise(case, ARRIVED, NOON_MS - 1, NOON_MS, None, worker),
        unknown,
    ]


def chain(promises: list[CasePromise], events: int = 0) -> tuple[list[bytes], int]:
    link = Chain(ORIGIN, 0)
    found = [
        link.add_event(Event(i + 2, f"o{i}", "arrive", "w1", NOON_MS, ())) for i in range(events)
    ]
    found += [link.add_fact(promise) for promise in promises]
    return [data for data in [*found, link.close()] if data is not None], link.last_sequence


def test_records_orders_verdicts_and_pay(store: Engine) -> None:
    promises = [*made("o1", 0), *made("o2", 600_001), *made("o3", None), *made("o4", 0, "")]
    blocks, last = chain(promises, events=3)
    hq = headquarters(store)
    assert hq.take_in(blocks, last, nothing) == 9
    hq.book(promises, nothing)
    assert sorted(hq.verdicts(promises)) == [
        ("closed", Verdict.KEPT),
        ("closed", Verdict.KEPT),
        ("closed", Verdict.LATE),
    ]
    with reading(store) as connection:
        (worker,) = reads.workers(connection, "yuehua", site="north")
        statement = reads.statement(connection, "yuehua", "w1", 0, NOW_MS)
        (box,) = reads.boxes(connection, "yuehua")
    assert (worker.worker, worker.balance_fen) == ("w1", 2000)
    assert [line.amount_fen for line in statement.lines] == [1000, 1000]
    assert statement.earned_fen == worker.balance_fen
    assert (box.box, box.status) == ("replay", "retired")


def test_the_same_again_changes_nothing(store: Engine) -> None:
    promises = [*made("o1", 0), *made("o2", 600_001)]
    blocks, last = chain(promises)
    for records in (4, 0):
        hq = headquarters(store)
        hq.refuse_strangers(["o1", "o2"])
        assert hq.take_in(blocks, last, nothing) == records
        hq.book(promises, nothing)
        with reading(store) as connection:
            transfers = reads.transfers(connection, "yuehua")
            assert [t.kind for t in transfers].count("commission") == 2
            (box,) = reads.boxes(connection, "yuehua")
            assert box.status == "retired"


def test_a_replay_that_was_cut_off_is_completed(sqlite_store: Engine) -> None:
    promises = [*made("o1", 0), *made("o2", 0)]
    events = 2_000 * (BLOCKS_TOGETHER + 1)
    blocks, last = chain(promises, events)
    told: list[int] = []
    first = headquarters(sqlite_store).take_in(blocks[:1], last, told.append)
    headquarters(sqlite_store).book(made("o1", 0), nothing)
    rest = headquarters(sqlite_store).take_in(blocks, last, told.append)
    assert first + rest == last == events + 4
    assert told == [1, BLOCKS_TOGETHER, len(blocks)]
    headquarters(sqlite_store).book(promises, nothing)
    assert len(list(headquarters(sqlite_store).verdicts(promises))) == 2


def test_cases_from_another_log_are_refused(sqlite_store: Engine) -> None:
    promises = made("o1", 0)
    blocks, last = chain(promises)
    hq = headquarters(sqlite_store)
    hq.take_in(blocks, last, nothing)
    hq.book(promises, nothing)
    other = headquarters(sqlite_store, origin=origin_of(mapping(), bytes([1] * 32)))
    other.refuse_strangers(["o2", "o3"])
    with pytest.raises(RemedyError, match="Case o1 is in this store already"):
        other.refuse_strangers(["o3", "o1"])


def test_a_forked_chain_is_refused_by_headquarters(sqlite_store: Engine) -> None:
    blocks, last = chain(made("o1", 0))
    hq = headquarters(sqlite_store)
    hq.take_in(blocks, last, nothing)
    with writing(sqlite_store) as connection:
        name = BoxName("yuehua", "north", "replay")
        change_journal(connection, name, ORIGIN.epoch, is_refused=True, committed_through=0)
    with pytest.raises(RemedyError, match=r"does not take the log.*look at the box replay"):
        hq.take_in(blocks, last, nothing)


def test_many_cases_are_booked_in_several_transactions(sqlite_store: Engine) -> None:
    promises = [p for i in range(ORDERS_TOGETHER + 1) for p in made(f"o{i}", 0, "王　五")]
    blocks, last = chain(promises)
    hq = headquarters(sqlite_store)
    hq.take_in(blocks, last, nothing)
    told: list[int] = []
    hq.book(promises, told.append)
    assert told == [ORDERS_TOGETHER, ORDERS_TOGETHER + 1]
    assert len(list(hq.verdicts(promises))) == ORDERS_TOGETHER + 1
    with reading(sqlite_store) as connection:
        (worker,) = reads.workers(connection, "yuehua")
    assert (worker.worker, worker.name) == ("王　五", "王 五")
    assert worker.balance_fen == 1000 * (ORDERS_TOGETHER + 1)


def test_only_what_can_be_judged_is_booked() -> None:
    closed, arrived, last = made("o1", 5)
    assert [is_bookable(p) for p in (closed, arrived, last)] == [True, False, False]
    request = order_request(mapping(), [closed, arrived, last])
    assert request is not None
    assert [node.key for node in request.nodes or []] == ["closed"]
    assert request.booked_from_ms == NOON_MS - 1
    assert order_request(mapping(), [arrived, last]) is None


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("mysql://host/name", "--database"),
        ("nonsense", "--database"),
        ("sqlite:////no/such/folder/store.db", "store"),
        ("postgresql:///none?host=/no/such/folder", "--database"),
    ],
)
def test_a_store_that_cannot_be_opened_names_the_remedy(url: str, why: str) -> None:
    with pytest.raises(RemedyError, match=why), store_at(url, Path("place")):
        pass


def test_a_file_that_is_no_store_names_the_remedy(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    path.write_bytes(b"not a database" * 99)
    with (
        pytest.raises(RemedyError, match=f"The store {path} fails: .*not a database"),
        store_at(sqlite_url(path), path),
    ):
        pass


def test_a_store_that_fails_on_the_way_names_the_remedy(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    with (
        pytest.raises(RemedyError, match=f"The store {path} fails: .*no such table"),
        store_at(sqlite_url(path), path) as engine,
        writing(engine) as connection,
    ):
        connection.execute(text("SELECT * FROM no_table_of_ours"))


def test_a_fault_of_ours_is_not_passed_off_as_theirs(tmp_path: Path) -> None:
    url = sqlite_url(tmp_path / "store.db")
    with (
        pytest.raises(IntegrityError),
        store_at(url, tmp_path) as engine,
        writing(engine) as connection,
    ):
        connection.execute(text("INSERT INTO sites VALUES ('a', 'b', 'c', 0, 0, '')"))
