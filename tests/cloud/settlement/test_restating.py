"""What a closed month pays now and paid then: the difference, its cause, and the claim."""

from cloud.settlement.claims import reposted
from cloud.settlement.restating import (
    RULES,
    Causes,
    is_restated,
    paid_by,
    restated,
    standing,
    sums,
)
from cloud.settlement.results import Rule
from cloud.settlement.running import Extra, Month, RunLine, postings, run_lines, unfunded
from cloud.settlement.waterfall import BONUS, POOL, RETAINED, Account, commission, receivable
from tests.cloud.settlement.small_month import plan

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
        Extra(line("commission:m-1", "wager:spring", 3)),
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
        line("commission:m-1", "wager:spring", 9),
    ]
    assert sums(lines, "2026-03") == {("commission:w-1", "piece"): 600}


def test_what_stands_once_posted() -> None:
    assert not RULES & {Rule.WAGER, Rule.RECOVERY, Rule.SHORTAGE}
    assert is_restated("pool:star")
    assert not is_restated("payable")
    assert not Causes()
    assert Causes(changed=("o-1",))


M1 = "commission:m-1"


def late(posted_fen: int, now_fen: int, rule: str = "bonus:east") -> list[Extra]:
    now = [Extra(line(M1, rule, now_fen), paid_by(rule))]
    return restated("2026-03", {(M1, rule): posted_fen}, now, CAUSES)


def balances(extras: list[Extra], held_fen: dict[Account, int]) -> dict[str, int]:
    """What accounts hold after the run; none is ever overdrawn on the way."""
    months = [Month(commission("m-1"), moved={"adjustment": 1_000})]
    lines = run_lines(months, extras, 0)
    moves = postings("2026-04", lines, extras, 0)
    assert unfunded(moves, held_fen) == []
    held = {account.name: fen for account, fen in held_fen.items()}
    for move in moves:
        held[move.debit.name] = held.get(move.debit.name, 0) - move.amount_fen
        held[move.credit.name] = held.get(move.credit.name, 0) + move.amount_fen
    return held


def test_a_bonus_that_was_too_high_is_owed_and_the_bonus_fund_has_it_back() -> None:
    extras = late(900, 400)
    assert {e.line.rule: e.line.amount_fen for e in extras} == {
        "restated:2026-03/bonus:east": -500,
        "claimed:2026-03/bonus:east": 500,
    }
    held = balances(extras, {RETAINED: 500, commission("m-1"): 1_000})
    # A fifth of the month's 1,000 is deducted; 300 stay owed and stay fenced.
    assert held["bonus"] == 500
    assert held["retained"] == 200
    assert held["receivable:m-1"] == -300
    assert held["unrecovered:m-1"] == 300
    assert held[M1] == 800
    assert sum(held.values()) == 1_500


def test_a_bonus_comes_back_before_its_share_does() -> None:
    share = Extra(RunLine("bonus", "restated:2026-03/waterfall", -500, "", {}), RETAINED, "bonus")
    extras = [share, *late(900, 400)]
    assert balances(extras, {RETAINED: 500, commission("m-1"): 1_000})["bonus"] == 0


def test_a_bonus_that_was_too_low_is_paid() -> None:
    extras = late(400, 900)
    assert [e.line.amount_fen for e in extras] == [500]
    held = balances(extras, {BONUS: 500, commission("m-1"): 1_000})
    assert (held["bonus"], held[M1], held["receivable:m-1"]) == (0, 1_500, 0)
    lacking = unfunded(postings("2026-04", [], extras, 0), {BONUS: 499})
    assert [(lack.payee, lack.inputs["missing_fen"]) for lack in lacking] == [("bonus", 1)]


def test_a_guarantee_that_is_kept_covers_what_late_records_took() -> None:
    extras = late(0, 700, "draw:trainee")
    held = balances(extras, {RETAINED: 700, commission("m-1"): 1_000})
    assert (held["retained"], held[M1]) == (0, 1_700)
    assert paid_by("draw:trainee") == RETAINED
    assert paid_by("piece") == POOL


def test_an_advance_to_be_repaid_stands() -> None:
    rules = plan(
        draws=[
            {"role": "guard", "guaranteed_fen": 5, "is_recoverable": True},
            {"role": "trainee", "guaranteed_fen": 5, "is_recoverable": False},
        ]
    )
    assert standing(rules) == {"draw:guard"}
    posted = {(M1, "draw:guard"): 5, (M1, "draw:trainee"): 5}
    found = restated("2026-03", posted, [], CAUSES, standing(rules))
    assert [e.line.rule for e in found] == [
        "restated:2026-03/draw:trainee",
        "claimed:2026-03/draw:trainee",
    ]


def test_nothing_that_is_claimed_takes_more_than_the_cap_nor_base_pay() -> None:
    month = Month(commission("m-1"), moved={"fulfilment": 1_000}, base_wage_fen=300_000)
    lines = run_lines([month], late(90_000, 0), 0)
    [deducted] = [found for found in lines if found.rule == "deduction"]
    assert deducted.amount_fen == -200
    assert deducted.inputs["carried_forward_fen"] == 89_800
    assert deducted.inputs["advance_fen"] == 200


def test_all_that_is_reversed_is_posted_again_where_nothing_changes() -> None:
    assert reposted("m-1", "k", [], 0, BONUS) == []
