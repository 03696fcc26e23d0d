"""Draws plans and months at random, for what must hold for all of them."""

from typing import Any

from hypothesis import strategies as st

from agreed.promises import Verdict
from cloud.settlement.facts import (
    Earning,
    Facts,
    Member,
    OrderFact,
    Person,
    Receivable,
    Team,
    Wage,
    WagerFact,
)
from cloud.settlement.plans import Plan
from tests.cloud.settlement.small_month import PERIOD, plan, wager

WORKERS = tuple(f"w-{i}" for i in range(6))
ROLES = ("cleaner", "guard", "lead")
TEAMS = ("east", "west", "")
PACKS = ("cleaning", "repair")
NODES = ("arrive", "finish")
fen = st.integers(0, 60_000)


@st.composite
def plans(draw: st.DrawFn) -> Plan:
    """Draw a plan that uses some of the rules."""
    rules: dict[str, Any] = {
        "tiers": {
            "bands": [
                {"from_fen": 0, "to_fen": 8_000, "rate_bp": draw(st.integers(0, 20_000))},
                {"from_fen": 8_000, "rate_bp": draw(st.integers(0, 20_000))},
            ]
        },
        "quality": {
            "points": [
                {"score_bp": 0, "factor_bp": 0},
                {"score_bp": draw(st.integers(1, 9_000)), "factor_bp": 3_000},
                {"score_bp": 10_000, "factor_bp": draw(st.integers(3_000, 20_000))},
            ]
        },
        "accelerator": {"target_fen": draw(st.integers(1, 9_000)), "extra_bp": 3_333},
        "cap_fen": 20_000,
        "floor_fen": 1_111,
        "override": {"share_bp": draw(st.integers(1, 10_000))},
        "pools": [
            {
                "key": basis,
                "name_zh": "奖",
                "name_en": "Pool",
                "share_bp": draw(st.integers(1, 3_333)),
                "basis": basis,
                "weights": [["cleaner", 3], ["guard", 1]],
            }
            for basis in ("heads", "pieces", "score")
        ],
        "rates": [{"pack": "repair", "node": "finish", "rate_fen": draw(st.integers(0, 5_000))}],
        "splits": [
            {
                "pack": "cleaning",
                "node": "finish",
                "shares": [
                    {"role": "lead", "share_bp": 3_333},
                    {"role": "cleaner", "share_bp": 6_667},
                ],
            }
        ],
        "middle_bonus": {"base_fen": 7_777, "target_bp": 9_000, "cap_bp": 12_000},
        "draws": [
            {"role": "guard", "guaranteed_fen": 3_000, "is_recoverable": draw(st.booleans())}
        ],
        "wagers": [wager()],
    }
    kept = draw(st.sets(st.sampled_from(sorted(rules))))
    return plan(**{name: rules[name] for name in kept})


@st.composite
def months(draw: st.DrawFn) -> Facts:
    """Draw a month of a few orders."""
    orders = [_order(draw, i) for i in range(draw(st.integers(0, 6)))]
    earnings = [
        _earning(draw, order, node) for order in orders for node in NODES if draw(st.booleans())
    ]
    return Facts(
        company="acme",
        site="sunrise",
        period=PERIOD,
        earnings=tuple(earnings),
        orders=tuple(orders),
        people=tuple(Person(worker, "cleaner") for worker in WORKERS[:3]),
        teams=(
            Team("east", "w-0", "m-1", 10, draw(st.integers(0, 10))),
            Team("west", "w-1", "m-2", 10, 10),
        ),
        wages=tuple(Wage(worker, 300_000, 30_000, 220_000) for worker in WORKERS[:5]),
        receivables=(
            Receivable("w-0", "a", "draw", 1, draw(fen)),
            Receivable("w-0", "b", "clawback", 1, draw(fen)),
            Receivable("w-5", "c", "clawback", 1, draw(fen)),
        ),
        wagers=(WagerFact("spring", draw(st.sampled_from((0, 30_000))), 20_000, 0, 0),),
        pool_fen=draw(st.sampled_from((0, 5_000, 10**7))),
        retained_fen=draw(st.sampled_from((0, 10**7))),
    )


def _order(draw: st.DrawFn, i: int) -> OrderFact:
    income = draw(fen)
    return OrderFact(
        f"o-{i}",
        draw(st.sampled_from(PACKS)),
        draw(st.sampled_from(TEAMS)),
        income,
        draw(st.integers(0, income // 2)),
        income // 10,
        draw(st.sampled_from((0, 0, income, income // 3))),
        draw(st.sampled_from(("", "vulnerable"))),
        draw(st.sampled_from((None, True, False))),
    )


def _earning(draw: st.DrawFn, order: OrderFact, node: str) -> Earning:
    crew = draw(
        st.lists(st.builds(Member, st.sampled_from(WORKERS), st.sampled_from(ROLES)), max_size=2)
    )
    return Earning(
        order.order_id,
        node,
        order.pack,
        1,
        draw(st.sampled_from(WORKERS)),
        draw(st.sampled_from(ROLES)),
        order.team,
        0,
        draw(st.integers(0, 3)),
        draw(st.integers(0, 5_000)),
        draw(st.integers(0, 12_000)),
        Verdict.KEPT,
        order.segment,
        "",
        tuple(crew),
    )
