"""A month small enough for a pencil: facts and plans that the tests of settlement change."""

from typing import Any

from agreed.promises import Verdict
from cloud.settlement.facts import Earning, Facts, OrderFact, Person, Team
from cloud.settlement.plans import Plan
from cloud.settlement.wagers import WagerTerms

PERIOD = "2026-03"
WATERFALL = {
    "retained_bp": 3_000,
    "senior_wager_bp": 1_000,
    "middle_bonus_bp": 1_000,
    "front_line_bp": 4_500,
    "care_fund_bp": 500,
}
PLAN: dict[str, Any] = {
    "key": "spring",
    "name_zh": "春季方案",
    "name_en": "Spring plan",
    "from_period": PERIOD,
    "waterfall": WATERFALL,
}
TARGETS = [
    {"period": "2026-03", "target_fen": 100_000},
    {"period": "2026-04", "target_fen": 100_000},
]


def plan(**changes: Any) -> Plan:
    return Plan.model_validate(PLAN | changes)


def earning(order_id: str, worker: str, **changes: Any) -> Earning:
    values: dict[str, Any] = {
        "node": "finish",
        "pack": "cleaning",
        "pack_version": 1,
        "role": "cleaner",
        "team": "east",
        "at_ms": 1_772_500_000_000,
        "quantity": 1,
        "rate_fen": 2_500,
        "score_bp": 10_000,
        "verdict": Verdict.KEPT,
    }
    return Earning(order_id=order_id, worker=worker, **values | changes)


def order(order_id: str, income_fen: int = 20_000, **changes: Any) -> OrderFact:
    values: dict[str, Any] = {
        "pack": "cleaning",
        "team": "east",
        "supplier_cost_fen": 8_000,
        "platform_fen": 2_000,
        "is_on_time": True,
    }
    return OrderFact(order_id=order_id, income_fen=income_fen, **values | changes)


def facts(*earnings: Earning, orders: tuple[OrderFact, ...] = (), **changes: Any) -> Facts:
    values: dict[str, Any] = {
        "company": "acme",
        "site": "sunrise",
        "period": PERIOD,
        "earnings": earnings,
        "orders": orders or tuple(order(o) for o in sorted({e.order_id for e in earnings})),
        "people": (Person("w-1", "cleaner", "east"),),
        "teams": (Team("east", leader="w-9", manager="m-1", tasks_received=4, tasks_passed=4),),
        "pool_fen": 1_000_000,
    }
    return Facts(**values | changes)


def signed(terms: dict[str, Any]) -> dict[str, Any]:
    """Have both sides sign a wager's terms."""
    of = WagerTerms.model_validate(terms).terms_hash()
    signatures = [
        {"side": side, "who": who, "at_ms": 1_772_000_000_000, "terms": of}
        for side, who in (("company", "boss"), ("senior", "s-1"))
    ]
    return terms | {"signatures": signatures}


def wager(**changes: Any) -> dict[str, Any]:
    terms: dict[str, Any] = {
        "key": "spring",
        "name_zh": "春季对赌",
        "name_en": "Spring wager",
        "senior": "s-1",
        "targets": TARGETS,
        "participation_bp": 5_000,
        "up_fen": 30_000,
        "down_fen": 20_000,
        "dead_band_fen": 5_000,
    }
    return signed(terms | changes)
