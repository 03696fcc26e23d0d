from collections import defaultdict
from dataclasses import replace
from random import Random
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from cloud.settlement.facts import Facts, Person, Receivable, Wage
from cloud.settlement.period import settle_period
from cloud.settlement.plans import Plan
from cloud.settlement.results import Carried, Caution, PeriodResult, Rule
from cloud.settlement.waterfall import NEW_PROFIT, POOL, Account, commission
from tests.cloud.settlement.histories import months, plans
from tests.cloud.settlement.small_month import earning, facts, order, plan

FEW = settings(max_examples=15)  # drawing a month is slow


def moved(result: PeriodResult) -> dict[Account, int]:
    """Book every line in double entry: what each account gained."""
    books: dict[Account, int] = defaultdict(int)
    for line in result.lines:
        books[line.source] -= line.amount_fen
        books[line.payee] += line.amount_fen
    return books


def shuffled(month: Facts, seed: int) -> Facts:
    dice = Random(seed)
    names = ("earnings", "orders", "people", "teams", "wages", "receivables", "wagers")
    changed: dict[str, Any] = {}
    for name in names:
        items = getattr(month, name)
        changed[name] = tuple(dice.sample(items, len(items)))
    return replace(month, **changed)


@FEW
@given(plans(), months(), st.integers(0, 2**32))
def test_the_order_of_the_facts_plays_no_part(some: Plan, month: Facts, seed: int) -> None:
    assert settle_period(some, month) == settle_period(some, shuffled(month, seed))


@FEW
@given(plans(), months())
def test_no_fen_is_created_or_lost_and_nothing_unfunded_is_paid(some: Plan, month: Facts) -> None:
    result = settle_period(some, month)
    books = moved(result)
    assert sum(books.values()) == 0
    assert books[NEW_PROFIT] == 0  # everything is shared
    assert month.pool_fen + books[POOL] >= 0
    keys = [line.key for line in result.lines]
    assert len(set(keys)) == len(keys)
    assert all((line.amount_fen == 0) == (line.nothing is not None) for line in result.lines)
    assert all(fen >= 0 for account, fen in books.items() if account.kind == "commission")
    assert all(item.amount_fen > 0 for item in result.unpaid)


@FEW
@given(plans(), months())
def test_pieces_are_the_lines_they_stand_behind(some: Plan, month: Facts) -> None:
    result = settle_period(some, month)
    behind: dict[str, int] = defaultdict(int)
    for piece in result.pieces:
        behind[piece.worker] += piece.amount_fen
    lines = {line.payee.name: line for line in result.lines if line.rule is Rule.PIECE}
    assert {f"commission:{w}": fen for w, fen in behind.items() if fen} == {
        name: line.amount_fen for name, line in lines.items() if line.amount_fen
    }
    assert all(line.nothing is not None for line in lines.values() if not line.amount_fen)


@FEW
@given(plans(), months())
def test_what_is_funded_later_is_paid_in_full(some: Plan, month: Facts) -> None:
    short, full = settle_period(some, month), settle_period(some, replace(month, pool_fen=10**9))
    waits = sum(u.amount_fen for u in short.unpaid if u.why is Carried.POOL_SHORT)
    paid = [sum(line.amount_fen for line in r.lines if line.source == POOL) for r in (short, full)]
    assert paid[0] + waits == paid[1]


def test_a_plan_of_piece_rates_alone_pays_what_the_verdicts_paid() -> None:
    month = facts(earning("o-1", "w-1", score_bp=6_667, rate_fen=2_501), earning("o-2", "w-2"))
    totals = settle_period(plan(), month).totals_fen()
    assert totals[commission("w-1")] == 1_667
    assert totals[commission("w-2")] == 2_500


def test_a_short_pool_pays_everybody_the_same_part_and_says_what_waits() -> None:
    month = facts(earning("o-1", "w-1"), earning("o-2", "w-2", rate_fen=7_500), pool_fen=0)
    result = settle_period(plan(), month)
    totals = result.totals_fen()
    assert (totals[commission("w-1")], totals[commission("w-2")]) == (2_250, 6_750)
    assert [u.amount_fen for u in result.unpaid] == [250, 750]
    assert [w.caution for w in result.warnings] == [Caution.POOL_SHORT]


def test_a_refund_before_payout_takes_the_piece_out_and_after_it_a_receivable_does() -> None:
    kept = facts(earning("o-1", "w-1"), earning("o-2", "w-1"))
    before = replace(kept, orders=(order("o-1"), order("o-2", refund_fen=20_000)))
    assert settle_period(plan(), before).totals_fen()[commission("w-1")] == 2_500
    # Paid out, the difference is owed and deducted from later months: a fifth of 5,000 at most.
    owed = Receivable("w-1", "2026-02", "clawback", 0, 2_500)
    after = replace(kept, receivables=(owed,), wages=(Wage("w-1", 300_000, 0, 200_000),))
    assert settle_period(plan(), after).totals_fen()[commission("w-1")] == 4_000


def test_a_worker_in_two_roles_is_paid_and_capped_once() -> None:
    month = facts(
        earning("o-1", "w-1"),
        earning("o-2", "w-1", role="guard"),
        people=(Person("w-1", "cleaner"), Person("w-1", "guard")),
    )
    result = settle_period(plan(cap_fen=4_000), month)
    assert result.totals_fen()[commission("w-1")] == 4_000
    assert [piece.role for piece in result.pieces] == ["cleaner", "guard"]


def test_an_empty_month_says_why() -> None:
    result = settle_period(plan(), facts())
    assert result.totals_fen()[commission("w-1")] == 0
    assert {line.amount_fen for line in result.lines} == {0}
    assert result.new_profit_fen == 0
