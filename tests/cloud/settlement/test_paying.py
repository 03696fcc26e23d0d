"""What a verdict pays, to the fen, and what a changed one takes back."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from agreed.promises import Verdict
from cloud.settlement.paying import HELD, NOTHING, PAY, POSTED, REVERSAL, Due, formula, settle
from cloud.settlement.reasons import Hold, ProvenBy

PROOF = ProvenBy(box="b", epoch="00" * 16, sequence=4, block_hash="11" * 32)
KEPT = Due(
    order_id="o-1",
    node="finish",
    revision=1,
    worker="w-1",
    verdict=Verdict.KEPT,
    pack="cleaning",
    pack_version=2,
    name_zh="验收",
    name_en="Accepted",
    promised_at_ms=1_000_000,
    tolerance_ms=60_000,
    hard_ms=660_000,
    early_bp_per_hour=0,
    early_bp_max=0,
    actual_at_ms=1_000_500,
    bound_ms=20,
    deviation_ms=500,
    score_bp=10_000,
    rate_fen=2_501,
    covered_until_ms=2_000_000,
    evidence=PROOF,
)
MISSED = replace(
    KEPT, verdict=Verdict.MISSED, score_bp=0, evidence=None, actual_at_ms=None, bound_ms=None
)
LATE = replace(KEPT, verdict=Verdict.LATE, deviation_ms=360_000, score_bp=5_000)


def test_a_kept_node_is_paid_from_the_pool() -> None:
    settled = settle(3_000, [KEPT], [], [])
    [line] = settled.lines
    assert (line.kind, line.status, line.reason.amount_fen) == (PAY, POSTED, 2_501)
    assert line.at_ms == 1_000_500
    assert line.reason.evidence == PROOF
    [move] = settled.moves
    assert (move.debit.name, move.credit.name) == ("pool", "commission:w-1")
    assert (move.kind, move.key, move.amount_fen) == ("commission", line.key, 2_501)


def test_half_a_fen_goes_to_the_even_one() -> None:
    assert settle(9_999, [LATE], [], []).lines[0].reason.amount_fen == 1_250
    odd = replace(LATE, rate_fen=2_503)
    assert settle(9_999, [odd], [], []).lines[0].reason.amount_fen == 1_252


def test_formulas_can_be_followed_with_a_pencil() -> None:
    assert formula(KEPT) == "2501 fen × 10000 bp ÷ 10000 = 2501 fen"
    half = "10000 × 300000 ms ÷ 600000 ms = 5000 bp; 2501 fen × 5000 bp ÷ 10000 = 1250 fen"
    assert formula(LATE) == half
    early = replace(
        KEPT,
        deviation_ms=-3_660_000,
        score_bp=10_200,
        early_bp_per_hour=200,
        early_bp_max=500,
    )
    assert formula(early).startswith("10000 + min(500, 3600000 ms × 200 bp/h) = 10200 bp; ")


def test_nothing_is_said_as_nothing() -> None:
    [line] = settle(0, [MISSED], [], []).lines
    assert (line.status, line.reason.amount_fen, line.at_ms) == (NOTHING, 0, 1_660_000)
    assert settle(0, [replace(KEPT, worker="")], [], []).lines == []
    assert settle(0, [replace(KEPT, verdict=Verdict.OPEN)], [], []).lines == []


def test_a_box_without_a_clock_is_dated_by_the_agreement() -> None:
    blind = replace(KEPT, verdict=Verdict.UNDECIDABLE, actual_at_ms=0, bound_ms=None)
    [line] = settle(9_999, [blind], [], []).lines
    assert (line.at_ms, line.reason.amount_fen) == (1_000_000, 2_501)


def test_what_the_pool_cannot_pay_waits_with_a_reason() -> None:
    settled = settle(2_500, [KEPT], [], [])
    [line] = settled.lines
    assert (line.status, settled.moves) == (HELD, [])
    assert (line.reason.hold, line.reason.pool_fen) == (Hold.POOL_SHORT, 2_500)


def test_the_earlier_deed_is_paid_first_and_nobody_overtakes() -> None:
    big = replace(KEPT, node="big", rate_fen=5_000, actual_at_ms=1_000_100)
    small = replace(KEPT, node="small", rate_fen=10, actual_at_ms=1_000_200)
    first = replace(KEPT, node="first", rate_fen=100, actual_at_ms=1_000_000)
    settled = settle(1_000, [small, big, first], [], [])
    status = {line.reason.node: line.status for line in settled.lines}
    assert status == {"first": POSTED, "big": HELD, "small": HELD}
    held = [line for line in settled.lines if line.status == HELD]
    funded = settle(5_005, [], [], held)
    assert [line.reason.node for line in funded.released] == ["big"]
    assert funded.lines == []
    assert [m.amount_fen for m in funded.moves] == [5_000]


def test_a_changed_verdict_is_taken_back_and_paid_anew() -> None:
    before = settle(9_999, [KEPT], [], [])
    after = settle(9_999 - 2_501, [replace(LATE, revision=2)], before.lines, [])
    back, paid = after.lines
    assert (back.kind, back.reason.amount_fen, back.reason.revision) == (REVERSAL, -2_501, 1)
    assert back.reason.takes_back_revision == 1
    assert (paid.kind, paid.reason.amount_fen, paid.reason.revision) == (PAY, 1_250, 2)
    assert [m.kind for m in after.moves] == ["commission_reversal", "commission"]
    assert len({m.key for m in [*before.moves, *after.moves]}) == 3


def test_a_changed_verdict_withdraws_what_was_held() -> None:
    held = settle(0, [KEPT], [], []).lines
    after = settle(0, [replace(LATE, revision=2)], held, [])
    assert after.withdrawn == held
    assert [line.status for line in after.lines] == [HELD]
    assert after.moves == []


dues = st.lists(
    st.builds(
        lambda i, rate, score, at: replace(
            KEPT, node=f"n{i}", rate_fen=rate, score_bp=score, actual_at_ms=at
        ),
        st.integers(0, 30),
        st.integers(0, 5_000),
        st.integers(0, 20_000),
        st.integers(1_000_000, 1_000_009),
    ),
    max_size=12,
    unique_by=lambda due: due.node,
)


@given(pool_fen=st.integers(0, 40_000), first=dues, data=st.data())
def test_the_pool_is_never_overdrawn_and_order_is_irrelevant(
    pool_fen: int, first: list[Due], data: st.DataObject
) -> None:
    settled = settle(pool_fen, first, [], [])
    paid = sum(m.amount_fen for m in settled.moves)
    assert paid <= pool_fen
    assert settle(pool_fen, data.draw(st.permutations(first)), [], []).moves == settled.moves
    again = [replace(due, revision=2, score_bp=due.score_bp // 2) for due in first]
    old = [line for line in settled.lines if line.status in {POSTED, HELD}]
    changed = settle(pool_fen - paid, again, old, [])
    left = pool_fen - paid
    for move in changed.moves:
        left += move.amount_fen if move.credit.name == "pool" else -move.amount_fen
    assert left >= 0
    # The same as if the second verdict had come first.
    fresh = settle(pool_fen, again, [], [])
    assert left == pool_fen - sum(m.amount_fen for m in fresh.moves)
