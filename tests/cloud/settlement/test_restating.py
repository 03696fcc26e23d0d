"""What a closed month pays now and paid then: the difference, its cause, and the claim."""

from cloud.settlement.restating import RULES, Causes, is_restated, restated, sums
from cloud.settlement.results import Rule
from cloud.settlement.running import Extra, RunLine
from cloud.settlement.waterfall import RETAINED, receivable

CAUSES = Causes(refunded=("o-1",))


def line(payee: str, rule: str, fen: int) -> RunLine:
    return RunLine(payee, rule, fen, f"{fen} fen", {})


def test_only_what_differs_is_restated_and_a_loss_is_claimed() -> None:
    posted = {
        ("commission:w-1", "piece"): 900,
        ("commission:w-1", "tier"): 100,
        ("commission:w-2", "piece"): 5,
        ("bonus", "waterfall"): 90,
    }
    now = [
        Extra(line("commission:w-1", "piece", -200)),
        Extra(line("commission:w-2", "piece", 5)),
        Extra(line("bonus", "waterfall", 80), RETAINED, "bonus"),
        Extra(line("commission:m-1", "bonus:east", 3)),
    ]
    found = {(e.line.payee, e.line.rule): e for e in restated("2026-03", posted, now, CAUSES)}
    assert {key: extra.line.amount_fen for key, extra in found.items()} == {
        ("bonus", "restated:2026-03/waterfall"): -10,
        ("commission:w-1", "restated:2026-03/piece"): -1_100,
        ("commission:w-1", "restated:2026-03/tier"): -100,
        ("commission:w-1", "claimed:2026-03"): 1_200,
    }
    piece = found["commission:w-1", "restated:2026-03/piece"].line
    assert piece.formula == "-200 fen; -200 − 900 = -1100 fen"
    assert piece.inputs == {
        "posted_fen": 900,
        "now_fen": -200,
        "refunded": ["o-1"],
        "refunded_count": 1,
    }
    assert found["commission:w-1", "claimed:2026-03"].source == receivable("w-1")
    assert found["bonus", "restated:2026-03/waterfall"].source == RETAINED


def test_a_gain_is_no_claim_and_many_causes_are_counted() -> None:
    orders = tuple(f"o-{i:02}" for i in range(30))
    posted = {("commission:w-1", "piece"): 5}
    [extra] = restated("2026-03", posted, [Extra(line("commission:w-1", "piece", 9))],
                       Causes(changed=orders))  # fmt: skip
    assert extra.line.amount_fen == 4
    assert (len(extra.line.inputs["changed"]), extra.line.inputs["changed_count"]) == (10, 30)


def test_what_was_posted_is_the_own_run_and_every_later_restatement() -> None:
    lines = [
        line("commission:w-1", "opening", 7),
        line("commission:w-1", "piece", 900),
        line("commission:w-1", "restated:2026-03/piece", -300),
        line("commission:w-1", "restated:2026-02/piece", 50),
        line("commission:m-1", "bonus:east", 9),
    ]
    assert sums(lines, "2026-03") == {("commission:w-1", "piece"): 600}


def test_what_stands_once_posted() -> None:
    stands = {Rule.BONUS, Rule.DRAW, Rule.WAGER, Rule.RECOVERY, Rule.SHORTAGE}
    assert not RULES & stands
    assert is_restated("pool:star")
    assert not is_restated("payable")
    assert not Causes()
    assert Causes(changed=("o-1",))
