import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloud.settlement.facts import Earning, Member
from cloud.settlement.pieces import (
    Seat,
    crew_warnings,
    factor_bp,
    gather,
    pieces_of,
    rates_of,
    refunded_orders,
)
from cloud.settlement.results import Caution, Warned
from cloud.settlement.terms import Quality
from tests.cloud.settlement.small_month import earning, facts, order, plan

SPLIT = {
    "pack": "cleaning",
    "node": "finish",
    "shares": [{"role": "lead", "share_bp": 6_000}, {"role": "mate", "share_bp": 4_000}],
}
CURVE = Quality.model_validate(
    {
        "points": [
            {"score_bp": 0, "factor_bp": 0},
            {"score_bp": 6_000, "factor_bp": 3_000},
            {"score_bp": 10_000, "factor_bp": 11_000},
        ]
    }
)


def paid(worked: Earning, **changes: object) -> dict[tuple[str, str], int]:
    rates = rates_of(plan(**changes), facts(worked))
    return {(p.worker, p.role): p.amount_fen for p in pieces_of(rates, worked)}


@pytest.mark.parametrize(
    ("score_bp", "factor"),
    [(0, 0), (3_000, 1_500), (6_000, 3_000), (8_000, 7_000), (12_000, 11_000)],
)
def test_the_factor_follows_the_curve(score_bp: int, factor: int) -> None:
    assert factor_bp(CURVE, score_bp) == factor
    assert factor_bp(None, score_bp) == score_bp


@given(st.integers(0, 20_000))
def test_a_better_score_never_pays_less(score_bp: int) -> None:
    assert factor_bp(CURVE, score_bp) <= factor_bp(CURVE, score_bp + 1)


def test_a_plan_may_set_another_rate_than_the_pack() -> None:
    rates = [{"pack": "cleaning", "node": "finish", "rate_fen": 3_000}]
    three = earning("o-1", "w-1", quantity=3)
    assert paid(three) == {("w-1", "cleaner"): 7_500}
    assert paid(three, rates=rates) == {("w-1", "cleaner"): 9_000}


def test_a_crew_shares_to_the_fen() -> None:
    pair = earning("o-1", "w-1", role="lead", rate_fen=2_501, crew=(Member("w-2", "mate"),))
    assert paid(pair, splits=[SPLIT]) == {("w-1", "lead"): 1_501, ("w-2", "mate"): 1_000}
    three = earning("o-1", "w-1", role="lead", crew=(Member("w-2", "mate"), Member("w-3", "mate")))
    assert sorted(paid(three, splits=[SPLIT]).values()) == [500, 500, 1_500]
    assert sorted(paid(three).values()) == [833, 833, 834]  # without a split all count the same
    piece = pieces_of(rates_of(plan(splits=[SPLIT]), facts(pair)), pair)[0]
    assert piece.formula.endswith("= 2501 fen; lead 6000, mate 4000 bp: 1501 fen")


def test_one_person_in_two_roles_of_a_crew_gets_both_parts() -> None:
    alone = earning("o-1", "w-1", role="lead", crew=(Member("w-1", "mate"),))
    assert paid(alone, splits=[SPLIT]) == {("w-1", "lead"): 1_500, ("w-1", "mate"): 1_000}


def test_crews_that_do_not_fit_their_split_are_named() -> None:
    odd = earning("o-1", "w-1", role="lead", crew=(Member("w-2", "guest"),))
    rates = rates_of(plan(splits=[SPLIT]), facts(odd))
    assert crew_warnings(rates, facts(odd)) == [
        Warned(Caution.ROLE_UNFILLED, "o-1/finish"),
        Warned(Caution.ROLE_UNKNOWN, "o-1/finish"),
    ]
    assert paid(odd, splits=[SPLIT]) == {("w-1", "lead"): 2_500, ("w-2", "guest"): 0}
    strangers = earning("o-1", "w-1", role="guest", crew=(Member("w-2", "guest"),))
    assert sorted(paid(strangers, splits=[SPLIT]).values()) == [1_250, 1_250]


def test_a_refunded_order_pays_nothing_where_the_plan_says_so() -> None:
    back = order("o-1", refund_fen=20_000)
    part = order("o-2", refund_fen=19_999)
    month = facts(earning("o-1", "w-1"), earning("o-2", "w-1"), orders=(back, part))
    assert refunded_orders(plan(), month) == {"o-1"}
    keeps = plan(recovery={"takes_back_refunded": False})
    assert refunded_orders(keeps, month) == frozenset()
    work, pieces = gather(rates_of(plan(), month), month)
    assert [piece.amount_fen for piece in pieces] == [0, 2_500]
    assert work[Seat("w-1", "cleaner", "east")].refunded == 1


def test_orders_of_vulnerable_residents_count_in_full_once_done() -> None:
    month = facts(
        earning("o-1", "w-1", score_bp=4_000, segment="vulnerable"),
        earning("o-2", "w-1", score_bp=0, segment="vulnerable"),
        earning("o-3", "w-1", score_bp=5_000),
    )
    work = gather(rates_of(plan(), month), month)[0][Seat("w-1", "cleaner", "east")]
    assert (work.nodes, work.pieces, work.score_bp) == (3, 2, 15_000)
    assert work.piece_fen == 1_000 + 1_250  # each piece is still paid by its own score
