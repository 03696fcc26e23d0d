import pytest

from cloud.settlement.releasing import Over, Stakes, after_payoff, is_over, released, releases
from cloud.settlement.running import Extra, RunLine
from cloud.settlement.wagers import Wager
from cloud.settlement.waterfall import BANK, RETAINED, commission, escrow
from tests.cloud.settlement.small_month import wager

SPRING = Wager.model_validate(wager())


@pytest.mark.parametrize(
    ("period", "is_held", "why"),
    [
        ("2026-02", True, None),
        ("2026-03", True, None),
        ("2026-04", True, Over.TERM),
        ("2026-05", True, Over.TERM),
        ("2026-03", False, Over.WITHDRAWN),
        ("2026-05", False, Over.WITHDRAWN),
    ],
)
def test_stakes_go_back_when_the_wager_is_over_or_withdrawn(
    period: str, is_held: bool, why: Over | None
) -> None:
    assert is_over(SPRING, period, [SPRING] if is_held else []) is why


def test_the_payoff_of_the_same_run_comes_first() -> None:
    line = RunLine(commission("s-1").name, "wager:spring", 700, "700 fen", {})
    left = after_payoff(SPRING, Stakes(1_000, 500), [Extra(line, escrow("spring", "company"))])
    assert left == Stakes(300, 500)
    found = {e.line.payee: (e.source, e.line.amount_fen, e.kind) for e in
             releases(SPRING, left, Over.TERM)}  # fmt: skip
    assert found == {
        "bank": (escrow("spring", "senior"), 500, "outside"),
        "retained": (escrow("spring", "company"), 300, "retained"),
    }


def test_by_hand_each_side_gets_its_own_and_nothing_twice() -> None:
    moves = released(SPRING, Stakes(300, 500), Over.WITHDRAWN, 7)
    assert [(m.debit.name, m.credit, m.amount_fen) for m in moves] == [
        ("escrow:spring:senior", BANK, 500),
        ("escrow:spring:company", RETAINED, 300),
    ]
    assert len({m.key for m in moves}) == 2
    assert released(SPRING, Stakes(0, 0), Over.TERM, 7) == []
