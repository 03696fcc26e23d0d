"""The ledger's rules stand in the database: no program can break them."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError, IntegrityError

from cloud.database import books
from cloud.database.engine import reading, writing
from cloud.settlement.claims import Claim, fenced, raised, recovered
from cloud.settlement.periods import Calendar, after, period_of
from cloud.settlement.waterfall import (
    BANK,
    COMPANY,
    POOL,
    UNRECOVERED,
    Account,
    Move,
    commission,
    receivable,
)
from tests.cloud.world import HOUR, PLACE, T0, World, finished, passed

WAGE = Account("wage:w-1", "wage")
WAGE_FUND = Account("wage_fund", "wage_fund")


def move(debit: Account, credit: Account, fen: int, kind: str = "commission") -> Move:
    return Move(f"k/{debit.name}/{credit.name}/{fen}", kind, debit, credit, fen, T0, "", {})


@pytest.fixture
def paid(world: World) -> World:
    """A world in which something was earned and posted."""
    world.order("o-1")
    world.fund(10_000)
    world.tell(passed(T0 + HOUR), finished(T0 + 2 * HOUR, "o-1"))
    assert world.balance("commission:w-1") == 3_001
    return world


COPIED = """INSERT INTO transfers SELECT company, site, transfer + 100, {key}, kind, {debit},
    {debit_kind}, credit, credit_kind, {fen}, at_ms, recorded_at_ms, order_id, reason, period
    FROM transfers"""
COPY = {"key": "key || 'x'", "debit": "debit", "debit_kind": "debit_kind", "fen": "amount_fen"}
ATTACKS = [
    "UPDATE transfers SET amount_fen = amount_fen + 1",
    "UPDATE transfers SET credit = 'retained', credit_kind = 'retained'",
    "DELETE FROM transfers",
    "UPDATE accounts SET credits_fen = credits_fen + 100",
    "UPDATE accounts SET debits_fen = 0",
    "UPDATE accounts SET kind = 'outside' WHERE kind = 'pool'",
    "UPDATE accounts SET last_transfer = last_transfer + 1",
    "DELETE FROM accounts",
    "UPDATE verdicts SET verdict = 1, score_bp = 10000",
    "DELETE FROM verdicts",
    "UPDATE records SET wall_ms = wall_ms - 60000",
    "DELETE FROM records",
    "UPDATE blocks SET hash = previous",
    "DELETE FROM blocks",
    "UPDATE promises SET promised_at_ms = promised_at_ms + 3600000",
    "UPDATE promises SET rate_fen = 1000000",
    "DELETE FROM promises",
    "UPDATE packs SET content = '{}'",
    "UPDATE lines SET amount_fen = 9",
    "UPDATE lines SET status = 'withdrawn'",
    "UPDATE lines SET reason = '{}'",
    "DELETE FROM lines",
    "UPDATE directives SET content = '{}'",
    """INSERT INTO accounts (company, site, account, kind, credits_fen)
    VALUES ('acme', 'north', 'gift', 'commission', 500)""",
    COPIED.format(**COPY | {"key": "key"}),
    COPIED.format(**COPY | {"fen": "-amount_fen"}),
    COPIED.format(**COPY | {"fen": "0"}),
    COPIED.format(**COPY | {"debit": "credit", "debit_kind": "credit_kind"}),
    COPIED.format(**COPY | {"debit_kind": "'outside'"}),
    COPIED.format(**COPY | {"fen": "1000000"}),
]


def test_the_database_refuses_every_attack(paid: World) -> None:
    for attack in ATTACKS:
        with pytest.raises(DBAPIError):
            _attack(paid, attack)
        with pytest.raises(DBAPIError):
            _attack_beside_a_transfer(paid, attack)
    assert paid.check().faults == []
    assert paid.balance("pool") == 10_000 + 6_353 - 3_001


def _attack(world: World, attack: str) -> None:
    with writing(world.engine) as connection:
        connection.execute(text(attack))


def _attack_beside_a_transfer(world: World, attack: str) -> None:
    with writing(world.engine) as connection:
        books.post(connection, PLACE, [move(COMPANY, POOL, 7, "funding")], T0)
        connection.execute(text(attack))


def test_sqlite_refuses_to_replace(small_world: World) -> None:
    small_world.fund(500)
    attack = (
        "INSERT OR REPLACE INTO transfers SELECT company, site, transfer, key, kind, debit,"
        " debit_kind, credit, credit_kind, 1, at_ms, recorded_at_ms, order_id, reason, period"
        " FROM transfers"
    )
    with pytest.raises(IntegrityError), writing(small_world.engine) as connection:
        connection.execute(text(attack))
    assert small_world.check().is_balanced


def refused(world: World, *moves: Move) -> None:
    with pytest.raises(IntegrityError), writing(world.engine) as connection:
        books.post(connection, PLACE, list(moves), T0)
    assert world.check().faults == []


def test_a_pool_pays_only_what_it_holds(world: World) -> None:
    world.fund(1_000)
    refused(world, move(POOL, commission("w-1"), 1_001))
    refused(world, move(POOL, commission("w-1"), 600), move(POOL, commission("w-2"), 401))
    with writing(world.engine) as connection:
        books.post(connection, PLACE, [move(POOL, commission("w-1"), 1_000)], T0)
    assert world.balance("pool") == 0


@pytest.mark.parametrize(
    ("debit", "credit", "kind"),
    [
        (POOL, WAGE, "commission"),
        (WAGE_FUND, commission("w-1"), "commission"),
        (COMPANY, commission("w-1"), "commission"),
        (WAGE, POOL, "commission_reversal"),
        (COMPANY, WAGE_FUND, "funding"),
        (WAGE, COMPANY, "waterfall"),
        (POOL, commission("w-1"), "bribe"),
    ],
)
def test_base_wages_stay_untouched(
    world: World, debit: Account, credit: Account, kind: str
) -> None:
    world.fund(1_000)
    with writing(world.engine) as connection:
        wages = [move(COMPANY, WAGE_FUND, 900, "wage"), move(WAGE_FUND, WAGE, 500, "wage")]
        books.post(connection, PLACE, wages, T0)
    refused(world, move(debit, credit, 100, kind))
    assert world.balance("wage:w-1") == 500


def test_a_key_is_posted_once(world: World) -> None:
    again = move(COMPANY, POOL, 100, "funding")
    with writing(world.engine) as connection:
        books.post(connection, PLACE, [again], T0)
        assert books.is_posted(connection, PLACE, again.key)
    refused(world, again)
    refused(world, replace(again, amount_fen=200))


def test_numbers_grow_without_gaps(world: World) -> None:
    moves = [move(COMPANY, POOL, fen, "funding") for fen in (1, 2, 3)]
    with writing(world.engine) as connection:
        assert list(books.post(connection, PLACE, moves, T0).values()) == [1, 2, 3]
        assert books.post(connection, PLACE, [], T0) == {}
    with writing(world.engine) as connection:
        four = move(COMPANY, POOL, 4, "funding")
        assert books.post(connection, PLACE, [four], T0) == {four.key: 4}


def test_lines_only_go_from_held_to_posted(world: World) -> None:
    world.order("o-1", income_fen=0)
    world.tell(passed(T0 + HOUR))
    held: Callable[[Connection], int] = lambda c: len(books.held_lines(c, PLACE))  # noqa: E731
    with reading(world.engine) as connection:
        assert held(connection) == 1
    with pytest.raises(DBAPIError), writing(world.engine) as connection:
        connection.execute(text("UPDATE lines SET status = 'nothing'"))
    with pytest.raises(DBAPIError), writing(world.engine) as connection:
        connection.execute(text("UPDATE lines SET status = 'posted'"))
    world.fund(10_000)
    with reading(world.engine) as connection:
        assert held(connection) == 0
    assert world.balance("commission:w-1") == 500


MONTH = period_of(T0, 480)


def test_nothing_but_its_payout_enters_a_closed_month(paid: World) -> None:
    with writing(paid.engine) as connection:
        books.close_month(connection, PLACE, MONTH)
    late = move(COMPANY, POOL, 100, "funding")
    with pytest.raises(IntegrityError), writing(paid.engine) as connection:
        books.post(connection, PLACE, [late], T0, period=MONTH)
    payout = move(commission("w-1"), BANK, 3_001, "payout")
    with writing(paid.engine) as connection:
        books.post(connection, PLACE, [late], T0)
        books.post(connection, PLACE, [payout], T0, period=MONTH)
        found = connection.execute(text("SELECT key, period FROM transfers ORDER BY transfer DESC"))
        newest = {row.key: row.period for row in found.fetchmany(2)}
    assert newest == {payout.key: MONTH, late.key: after(MONTH)}


def test_a_closed_month_stays_closed(world: World) -> None:
    with writing(world.engine) as connection:
        books.close_month(connection, PLACE, MONTH)
    with pytest.raises(DBAPIError), writing(world.engine) as connection:
        books.close_month(connection, PLACE, after(MONTH, -1))
    with reading(world.engine) as connection:
        assert books.calendar(connection, PLACE) == Calendar(480, MONTH)


def test_only_the_outside_is_paid_and_only_workers_owe(paid: World) -> None:
    refused(paid, move(commission("w-1"), POOL, 1, "payout"))
    refused(paid, move(POOL, UNRECOVERED, 1, "claim"))
    refused(paid, move(COMPANY, receivable("w-1"), 1, "recovery"))


def test_what_a_node_owes_is_never_more_than_its_worker(world: World) -> None:
    claim = Claim("o-9", "finish", 1, "w-1", 700, T0)
    with writing(world.engine) as connection:
        books.post(connection, PLACE, raised([claim]), T0)
        key = {("o-9", "finish")}
        assert books.owed_by_node(connection, PLACE, key) == {("o-9", "finish"): 700}
        books.post(
            connection, PLACE, [move(commission("w-1"), POOL, 700, "commission_reversal")], T0
        )
        books.post(connection, PLACE, fenced([claim], {}), T0)
        pay = move(COMPANY, POOL, 300, "funding"), move(POOL, commission("w-1"), 300)
        books.post(connection, PLACE, list(pay), T0)
        books.post(connection, PLACE, recovered("w-1", 300, "run/x", T0), T0)
        assert books.owed_by_node(connection, PLACE, key) == {("o-9", "finish"): 400}
        assert books.owed_by_node(connection, PLACE, {("o-9", "arrive")}) == {}
