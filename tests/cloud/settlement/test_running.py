"""A run is the same whatever the order, and its deductions stay within the law."""

from cloud.settlement.running import (
    Extra,
    Month,
    RunLine,
    payable_fen,
    payouts,
    postings,
    run_hash,
    run_lines,
    unfunded,
)
from cloud.settlement.waterfall import (
    POOL,
    RETAINED,
    Account,
    advanced,
    commission,
    receivable,
    supplier,
)

W1 = Month(commission("w-1"), 100, {"fulfilment": 4_500}, 2_000)
SHOP = Month(supplier("shop"), 0, {"supply": 6_000})
HELD = {commission("w-1"): 3_940, supplier("shop"): 6_000}
BONUS = Extra(RunLine("commission:w-1", "override", 300, "3000 × 10 % = 300 fen", {"bp": 1_000}))


def test_a_run_goes_from_opening_to_payable() -> None:
    lines = run_lines([SHOP, W1], [BONUS], 0)
    assert [(line.payee, line.rule, line.amount_fen) for line in lines] == [
        ("commission:w-1", "opening", 100),
        ("commission:w-1", "fulfilment", 4_500),
        ("commission:w-1", "override", 300),
        ("commission:w-1", "deduction", -960),
        ("commission:w-1", "payable", 3_940),
        ("supplier:shop", "opening", 0),
        ("supplier:shop", "supply", 6_000),
        ("supplier:shop", "payable", 6_000),
    ]
    assert lines[3].inputs["carried_forward_fen"] == 1_040
    assert lines[4].formula == "100 + 4500 + 300 + -960 = 3940 fen"
    assert payable_fen(lines) == 9_940


def test_order_does_not_matter() -> None:
    one, other = run_lines([W1, SHOP], [BONUS], 0), run_lines([SHOP, W1], [BONUS], 0)
    assert run_hash("2026-03", one) == run_hash("2026-03", other)
    assert run_hash("2026-04", one) != run_hash("2026-03", one)
    assert run_hash("2026-03", one[:-1]) != run_hash("2026-03", one)


def test_only_what_the_run_itself_adds_is_posted() -> None:
    lines = run_lines([W1, SHOP], [BONUS], 0)
    moves = postings("2026-03", lines, [BONUS], 9)
    assert [(m.kind, m.debit.name, m.credit.name, m.amount_fen) for m in moves] == [
        ("settlement", "pool", "commission:w-1", 300),
        ("recovery", "commission:w-1", "receivable:w-1", 960),
        ("recovery", "unrecovered", "pool", 960),
    ]
    assert moves[0].key == "run/2026-03/commission:w-1/override"
    paid = payouts("2026-03", lines, 10, HELD)
    assert [(m.debit.name, m.debit.kind, m.amount_fen) for m in paid] == [
        ("commission:w-1", "commission", 3_940),
        ("supplier:shop", "supplier", 6_000),
    ]


def test_what_a_plan_takes_back_goes_the_other_way() -> None:
    less = Extra(RunLine("commission:w-2", "true_up", -30, "", {}), Account("bonus", "bonus"))
    lines = run_lines([Month(commission("w-2"), 50)], [less], 0)
    [move] = postings("2026-03", lines, [less], 9)
    assert (move.kind, move.debit.name, move.credit.name) == (
        "settlement_reversal",
        "commission:w-2",
        "bonus",
    )
    only = run_lines([], [BONUS], 0)
    assert payable_fen(only) == 300


def test_no_more_is_paid_out_than_the_books_still_hold() -> None:
    lines = run_lines([SHOP], [], 0)
    [paid] = payouts("2026-03", lines, 10, {supplier("shop"): 5_500})
    assert paid.amount_fen == 5_500
    assert payouts("2026-03", lines, 10, {}) == []


def test_an_account_that_cannot_pay_is_named_with_what_it_lacks() -> None:
    moves = postings("2026-03", run_lines([], [BONUS], 0), [BONUS], 9)
    [line] = unfunded(moves, {POOL: 120})
    assert (line.payee, line.rule, line.amount_fen) == ("pool", "unfunded", 0)
    assert (line.formula, line.inputs["missing_fen"]) == ("300 − 120 = 180 fen", 180)
    assert unfunded(moves, {POOL: 300}) == []


def test_an_advance_is_fenced_and_repaid_last() -> None:
    how = {"guaranteed_fen": 2_000}
    draw = Extra(RunLine("commission:w-1", "draw:guard", 500, "", how), receivable("w-1"))
    lent = postings("2026-03", run_lines([], [draw], 0), [draw], 9)
    assert [(m.kind, m.debit.name, m.credit.name, m.amount_fen) for m in lent] == [
        ("settlement", "receivable:w-1", "commission:w-1", 500),
        ("fence", "retained", "unrecovered:w-1", 500),
    ]
    later = Month(commission("w-1"), 0, {"fulfilment": 4_000}, owed_fen=700, advanced_fen=500)
    repaid = postings("2026-04", run_lines([later], [], 0), [], 9)
    assert [(m.debit.name, m.credit.name, m.amount_fen) for m in repaid] == [
        ("commission:w-1", "receivable:w-1", 700),
        ("unrecovered", "pool", 200),
        (advanced("w-1").name, "retained", 500),
    ]
    # Only what is earned above the guarantee repays, and a draw is not earned.
    drawn = run_lines([later], [Extra(RunLine("commission:w-1", "draw:x", 9, "", how))], 0)
    assert [line.amount_fen for line in drawn if line.rule == "deduction"] == [-700]
    high = {"guaranteed_fen": 3_900}
    drawn = run_lines([later], [Extra(RunLine("commission:w-1", "draw:x", 9, "", high))], 0)
    assert [line.amount_fen for line in drawn if line.rule == "deduction"] == [-100]


def test_a_sites_own_account_has_no_payable_line() -> None:
    line = RunLine("bonus", "waterfall", 90, "", {})
    assert run_lines([], [Extra(line, RETAINED, "bonus")], 0) == [line]
