"""A run posts only what the books lack of what a plan pays."""

from cloud.settlement.additions import additions
from cloud.settlement.running import Extra
from cloud.settlement.waterfall import BONUS, PLATFORM, POOL, RETAINED, Account, receivable
from tests.cloud.settlement.test_worked_month import settled

BOOKED = {POOL: 360_000, PLATFORM: 180_000, RETAINED: 540_000}


def added(
    accrued_fen: dict[str, int] | None = None, booked: dict[Account, int] | None = None
) -> dict[tuple[str, str], Extra]:
    extras = additions(settled(), accrued_fen or {}, BOOKED if booked is None else booked)
    found = {(extra.line.payee, extra.line.rule): extra for extra in extras}
    assert len(found) == len(extras)
    return found


def test_pieces_are_the_difference_to_what_verdicts_paid() -> None:
    piece = added({"w-1": 60_000})["commission:w-1", "piece"].line
    assert (piece.amount_fen, piece.inputs["accrued_fen"]) == (-233, 60_000)
    assert piece.formula.endswith("; 59767 − 60000 = -233 fen")


def test_new_profit_is_shared_again_out_of_what_was_retained() -> None:
    found = added()
    shares = {payee: e for (payee, rule), e in found.items() if rule == "waterfall"}
    assert {payee: e.line.amount_fen for payee, e in shares.items()} == {
        "bonus": 90_000,
        "care": 45_000,
        "platform": 0,
        "pool": 0,
        "wager": 45_000,
    }
    assert {e.source for e in shares.values()} == {RETAINED}
    less = added(booked=BOOKED | {POOL: 400_000, RETAINED: 500_000})["pool", "waterfall"].line
    assert less.amount_fen == -40_000
    # What leaves retained profit is exactly what the plan does not let it keep.
    assert 540_000 - sum(e.line.amount_fen for e in shares.values()) == 360_000


def test_every_line_keeps_its_source_and_a_zero_its_reason() -> None:
    found = added()
    assert found["commission:m-1", "bonus:east"].source == BONUS
    assert found["commission:w-4", "draw:guard"].source == receivable("w-4")
    assert found["commission:s-1", "wager:spring"].source.name == "escrow:spring:company"
    assert found["commission:w-4", "piece"].line.inputs["nothing"] == "no_score"
    assert found["commission:w-9", "override:east"].line.inputs["rounding"] == "half_even"


def test_runs_deduct_by_themselves() -> None:
    assert not [rule for _payee, rule in added() if rule.startswith("recovery")]
