"""What late records take back of a closed month: exact, and never out of the pool's money."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from agreed.promises import Verdict
from cloud.settlement.claims import (
    Claim,
    Repost,
    SetOff,
    fenced,
    raised,
    recovered,
    released,
    reposted,
    settled,
)
from cloud.settlement.paying import HELD, MANUAL, PAY, POSTED, Due, Line, Settled, settle
from cloud.settlement.periods import Calendar
from cloud.settlement.waterfall import Move
from tests.cloud.settlement.test_paying import KEPT, LATE, MISSED

OPEN = Calendar(480, "")
CLOSED = Calendar(480, "1970-01")


def balances(
    moves: list[Move], pool_fen: int, before: dict[str, int] | None = None
) -> dict[str, int]:
    """Post moves one by one; no account but the world and what is owed may be overdrawn."""
    held = {"pool": pool_fen} if before is None else dict(before)
    for move in moves:
        held[move.debit.name] = held.get(move.debit.name, 0) - move.amount_fen
        held[move.credit.name] = held.get(move.credit.name, 0) + move.amount_fen
        for account in (move.debit, move.credit):
            owed = account.kind == "receivable"
            assert held[account.name] * (-1 if owed else 1) >= 0, (move, held)
    return held


def restated(was: Due, due: Due, pool_fen: int, calendar: Calendar = CLOSED) -> Settled:
    [line] = settle(was.rate_fen * 2, [was], [], []).lines
    return settle(pool_fen, [replace(due, revision=2)], [line], [], calendar)


def test_pay_of_a_closed_month_becomes_a_claim() -> None:
    settled = restated(KEPT, MISSED, 0)
    held = balances(settled.moves, 0)
    assert held == {"pool": 0, "receivable:w-1": -2_501, "commission:w-1": 0, "unrecovered": 2_501}
    assert [line.period for line in settled.lines] == ["1970-02", "1970-02"]


def test_only_the_difference_is_owed() -> None:
    settled = restated(KEPT, LATE, 0)
    held = balances(settled.moves, 0)
    assert held["receivable:w-1"] == -1_251
    assert held["commission:w-1"] == 0
    assert held["unrecovered"] == 1_251
    assert held["pool"] == 0


def test_more_than_before_needs_the_pool_only_for_the_difference() -> None:
    settled = restated(LATE, KEPT, 1_251)
    held = balances(settled.moves, 1_251)
    assert held["receivable:w-1"] == 0
    assert held["commission:w-1"] == 1_251
    assert held["pool"] == 0
    assert "unrecovered" not in held
    waits = restated(LATE, KEPT, 1_250)
    assert [line.status for line in waits.lines if line.kind == PAY] == [HELD]
    assert balances(waits.moves, 1_250)["unrecovered"] == 1_250


def test_in_an_open_month_pay_goes_straight_back() -> None:
    settled = restated(KEPT, LATE, 0, OPEN)
    assert {move.kind for move in settled.moves} == {"commission", "commission_reversal"}


def test_what_is_too_old_waits_for_a_person() -> None:
    settled = restated(KEPT, LATE, 9_000, Calendar(480, "1970-04"))
    assert [(line.kind, line.status) for line in settled.lines] == [(PAY, MANUAL)]
    assert settled.moves == []


@given(
    st.lists(st.tuples(st.integers(0, 10_000), st.booleans()), min_size=1, max_size=8),
    st.integers(0, 20_000),
)
def test_no_order_of_scores_makes_or_loses_money(
    steps: list[tuple[int, bool]], pool_fen: int
) -> None:
    held = {"pool": pool_fen}
    paid: list[Line] = []
    closed_months = 0
    for revision, (score, closes) in enumerate(steps, start=1):
        verdict = Verdict.LATE if score else Verdict.MISSED
        due = replace(KEPT, revision=revision, score_bp=score, verdict=verdict)
        owed_fen = {("o-1", "finish"): -held.get("receivable:w-1", 0)}
        months = Calendar(480, f"1970-0{closed_months}" if closed_months else "")
        done = settle(held["pool"], [due], paid, [], months, owed_fen)
        held = balances(done.moves, 0, held)
        assert sum(held.values()) == pool_fen
        assert held.get("unrecovered", 0) == -held.get("receivable:w-1", 0)
        pays = [line for line in done.lines if line.kind == PAY]
        paid = [line for line in pays if line.status in {POSTED, HELD}]
        due_fen = sum(line.reason.amount_fen for line in pays if line.status == POSTED)
        assert held.get("out", 0) + held.get("commission:w-1", 0) == due_fen - held.get(
            "receivable:w-1", 0
        )
        if closes and closed_months < 3:
            closed_months += 1
            paid_out = held.pop("commission:w-1", 0)
            held["out"] = held.get("out", 0) + paid_out


def test_the_steps_of_a_claim_cancel() -> None:
    claim, kept = Claim("o", "n", 1, "w", 700, 5), {("o", "n"): 200}
    set_off = SetOff("o", "n", 2, "w", 250, 50, 6)
    moves = [*raised([claim]), *fenced([claim], kept), *released([set_off]), *settled([set_off])]
    assert [(m.key, m.kind, m.amount_fen) for m in moves] == [
        ("claim/o/n/1", "claim", 700),
        ("fence/o/n/1", "fence", 500),
        ("release/o/n/2", "recovery", 50),
        ("recovery/o/n/2", "recovery", 250),
    ]
    legs = recovered("w", 500, "run/2026-04/w", 9)
    assert [(m.debit.name, m.credit.name, m.amount_fen) for m in legs] == [
        ("commission:w", "receivable:w", 500),
        ("unrecovered", "pool", 500),
    ]
    assert recovered("w", 0, "k", 9) == []


PAIRS = st.lists(st.tuples(st.integers(-(10**6), 10**6), st.integers(-(10**6), 10**6)), max_size=6)


@given(pairs=PAIRS, held_fen=st.integers(0, 10**4))
def test_reposting_neither_takes_from_the_worker_nor_from_the_pool(
    pairs: list[tuple[int, int]], held_fen: int
) -> None:
    change_fen = sum(now - was for was, now in pairs)
    gain_fen = max(0, change_fen)
    pool_fen = gain_fen
    before = {"pool": pool_fen, "commission:w-1": held_fen}
    reposts = [Repost(f"k/{i}", was, now, "f") for i, (was, now) in enumerate(pairs)]
    moves = reposted("w-1", "k", reposts, 7)
    after = balances(moves, 0, before)
    assert after["commission:w-1"] == held_fen + gain_fen
    assert after["pool"] == pool_fen - gain_fen
    assert after.get("unrecovered", 0) == -after.get("receivable:w-1", 0) == max(0, -change_fen)
    assert len({m.key for m in moves}) == len(moves)
