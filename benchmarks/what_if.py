"""How fast another plan is tried on past months: lines per second on one core, and in DuckDB.

Our time is processor time of the whole trial: adding up every node, tiers, cap, every line of
every person of every month, the waterfall, who gains. DuckDB adds up the same nodes and applies
tiers and cap, on one thread; the totals by person are checked to be equal.
"""

from collections.abc import Callable
from importlib import import_module
from statistics import median
from time import process_time
from typing import Any, Final

import numpy as np

from cloud.settlement.adding import add_nodes
from cloud.settlement.facts import Facts
from cloud.settlement.past import Crews, Nodes, Orders, Past, by_seat
from cloud.settlement.pieces import Seat
from cloud.settlement.plans import Plan
from cloud.settlement.whatif import try_plan

MONTHS: Final = 12
PEOPLE: Final = 50
"""People at a site."""

LINES_PER_SITE_MONTH: Final = 4_000
_PLAN: Final[dict[str, Any]] = {
    "key": "tried",
    "name_zh": "试算方案",
    "name_en": "Tried plan",
    "from_period": "2026-01",
    "waterfall": {"retained_bp": 5_000, "front_line_bp": 5_000},
    "rates": [{"pack": "p1", "node": "finish", "rate_fen": 777}],
    "tiers": {
        "bands": [
            {"from_fen": 0, "to_fen": 20_000, "rate_bp": 10_000},
            {"from_fen": 20_000, "to_fen": 60_000, "rate_bp": 11_000},
            {"from_fen": 60_000, "rate_bp": 12_500},
        ]
    },
    "cap_fen": 90_000,
}
_SQL: Final = """
WITH priced AS (
    SELECT month, worker, quantity * CASE WHEN kind = 1 THEN 777 ELSE rate END * score AS n
    FROM nodes),
pieces AS (
    SELECT month, worker, n // 10000 AS whole, n % 10000 AS rest FROM priced),
earned AS (
    SELECT month, worker, sum(whole + CASE WHEN rest > 5000 OR (rest = 5000 AND whole % 2 = 1)
        THEN 1 ELSE 0 END)::BIGINT AS fen FROM pieces GROUP BY month, worker),
tiered AS (
    SELECT month, worker, least(fen, 20000) * 10000
        + greatest(0, least(fen, 60000) - 20000) * 11000
        + greatest(0, fen - 60000) * 12500 AS n FROM earned)
SELECT worker, sum(least(90000, n // 10000 + CASE WHEN n % 10000 > 5000
    OR (n % 10000 = 5000 AND (n // 10000) % 2 = 1) THEN 1 ELSE 0 END))::BIGINT
FROM tiered GROUP BY worker ORDER BY worker"""


def measure(lines: int, rounds: int) -> dict[str, Any]:
    """Measure one size; gives figures, and ratios where DuckDB is there."""
    past = stretch(lines)
    plan = Plan.model_validate(_PLAN)
    ours = _median(lambda: try_plan(plan, past), rounds)
    adding = _median(lambda: add_nodes(plan, past), rounds)
    figures = {
        "what_if_lines": lines,
        "what_if_lines_per_s": round(lines / ours),
        "adding_lines_per_s": round(lines / adding),
    }
    try:
        database = import_module("duckdb").connect()
    except ModuleNotFoundError:
        return {"figures": figures, "ratios": {}, "missing": ["duckdb: make bench"]}
    database.execute("SET threads = 1")
    database.execute("CREATE TABLE nodes AS SELECT * FROM rows", *_register(database, past))
    expected = dict(database.execute(_SQL).fetchall())
    paid = try_plan(plan, past).paid_fen
    assert {int(worker.removeprefix("w")): fen for worker, fen in paid.items()} == expected
    theirs = _median(lambda: database.execute(_SQL).fetchall(), rounds)
    figures["duckdb_lines_per_s"] = round(lines / theirs)
    return {
        "figures": figures,
        "ratios": {
            "what_if_vs_duckdb": round(theirs / ours, 2),
            "adding_vs_duckdb": round(theirs / adding, 2),
        },
        "missing": [],
    }


def stretch(lines: int) -> Past:
    """Make a year of a company: sites of fifty people, about four thousand nodes each a month."""
    dice = np.random.default_rng(6)
    sites = max(1, lines // (MONTHS * LINES_PER_SITE_MONTH))
    months = sites * MONTHS
    seats = tuple(
        (month, Seat(f"w{month // MONTHS * PEOPLE + person}", "cleaner", "team"))
        for month in range(months)
        for person in range(PEOPLE)
    )
    # The first nodes sit one in each seat, so that nobody is without work.
    seat = np.concatenate(
        [
            np.arange(min(lines, len(seats))),
            dice.integers(0, len(seats), max(0, lines - len(seats))),
        ]
    )
    none = np.zeros(0, np.int64)
    nodes = Nodes(
        seat,
        dice.integers(0, 2, lines),
        np.ones(lines, np.int64),
        dice.integers(200, 3_000, lines),
        dice.choice([0, 4_000, 6_667, 9_500, 10_000, 10_000, 10_000], lines),
        np.zeros(lines, np.int64),
        np.zeros(lines, np.int64),
    )
    orders = months * 10
    per_order = np.arange(orders)
    facts = Facts("acme", "site", "2026-01", (), (), pool_fen=10**12)
    return Past(
        months=(facts,) * months,
        seats=seats,
        nodes_of_packs=(("p0", "finish"), ("p1", "finish")),
        roles=(),
        segments=("",),
        packs=("p0",),
        teams=("team",),
        single=by_seat(nodes),
        shared=Nodes(*(none,) * 7),
        crews=Crews(*(none,) * 5),
        orders=Orders(
            per_order // 10,
            *(np.zeros(orders, np.int64),) * 3,
            np.full(orders, 20_000),
            np.full(orders, 8_000),
            np.full(orders, 2_000),
            np.ones(orders, np.int64),
        ),
    )


def _register(database: Any, past: Past) -> list[Any]:
    month = np.array([month for month, _seat in past.seats])
    worker = np.array([int(seat.worker.removeprefix("w")) for _month, seat in past.seats])
    single = past.single
    database.register(
        "rows",
        {
            "month": month[single.seat],
            "worker": worker[single.seat],
            "kind": single.of,
            "quantity": single.quantity,
            "rate": single.rate_fen,
            "score": single.score_bp,
        },
    )
    return []


def _median(act: Callable[[], object], rounds: int) -> float:
    seconds = []
    for _ in range(rounds):
        start = process_time()
        act()
        seconds.append(process_time() - start)
    return median(seconds)
