"""The worked month of docs/settlement.md: its numbers are those that the program computes."""

import json
import re
from pathlib import Path

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
from cloud.settlement.period import settle_period
from cloud.settlement.plans import Plan
from cloud.settlement.results import PeriodResult, Rule

PAGE = (Path(__file__).parents[3] / "docs/settlement.md").read_text()
MONTH = PAGE.partition("## A worked month")[2].partition("## What if")[0]
ON_TIME = {"yes": True, "no": False, "open": None}
REFUNDED = "o-9"


def table(head: str) -> list[list[str]]:
    rows = MONTH.partition(head)[2].partition("\n\n")[0].splitlines()[2:]
    return [[cell.strip() for cell in row.split(" | ")] for row in (r[1:-1] for r in rows)]


def earning(cells: list[str]) -> Earning:
    order_id, node, workers, roles, quantity, rate, score = cells
    (worker, *others), (role, *their) = workers.split(" + "), roles.split(" + ")
    return Earning(
        order_id=order_id,
        node=node,
        pack="deep-clean",
        pack_version=1,
        worker=worker,
        role=role,
        team="east",
        at_ms=0,
        quantity=int(quantity),
        rate_fen=int(rate),
        score_bp=int(score),
        verdict=Verdict.KEPT,
        segment="vulnerable" if order_id == "o-10" else "",
        crew=tuple(Member(*pair) for pair in zip(others, their, strict=True)),
    )


def order(cells: list[str]) -> OrderFact:
    order_id, segment, on_time = cells
    is_back = order_id == REFUNDED
    return OrderFact(
        order_id=order_id,
        pack="deep-clean",
        team="east",
        income_fen=200_000,
        supplier_cost_fen=0 if is_back else 80_000,
        platform_fen=0 if is_back else 20_000,
        refund_fen=200_000 if is_back else 0,
        segment=segment,
        is_on_time=ON_TIME[on_time],
    )


def facts_of_the_page() -> Facts:
    return Facts(
        company="acme",
        site="sunrise",
        period="2026-03",
        earnings=tuple(map(earning, table("| order | node |"))),
        orders=tuple(map(order, table("| order | segment |"))),
        people=(Person("w-4", "guard", "east"),),
        teams=(Team("east", "w-9", "m-1", 10, 9),),
        wages=(Wage("w-1", 250_000, 30_000, 240_000),),
        receivables=(Receivable("w-1", "2026-01", "clawback", 0, 80_000),),
        wagers=(WagerFact("spring", 60_000, 40_000, 820_000, 0),),
    )


def settled() -> PeriodResult:
    found = re.search(r"```json\n(.*?)```", MONTH, re.DOTALL)
    assert found is not None
    return settle_period(Plan.model_validate(json.loads(found[1])), facts_of_the_page())


def test_the_page_shows_what_the_program_computes() -> None:
    shown = table("| payee | rule |")
    computed = [
        [line.payee.name, str(line.rule), line.subject, str(line.amount_fen), line.formula]
        for line in settled().lines
    ]
    assert shown == computed


def test_the_page_shows_every_piece() -> None:
    computed = [
        [p.worker, p.earning.order_id, p.earning.node, str(p.amount_fen), p.formula]
        for p in settled().pieces
    ]
    assert table("| worker | order |") == computed


def test_every_mechanism_of_pay_is_used() -> None:
    result = settled()
    assert {line.rule for line in result.lines} == set(Rule) - {Rule.SHORTAGE}
    assert result.warnings == ()
    assert [(u.payee.name, u.amount_fen) for u in result.unpaid] == [("receivable:w-1", 61_600)]
