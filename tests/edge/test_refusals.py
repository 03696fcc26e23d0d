"""Nothing vanishes silently: what is refused is told by reason, class and count."""

from agreed.machine import NS_PER_S
from agreed.records import GAP, Durability, RecordError, check_text
from edge.refusals import SAY_S, Refusals, gap_drafts


def test_counts_are_told_at_once_and_then_now_and_then() -> None:
    refusals = Refusals()
    assert refusals.due(0) == ()
    refusals.note("card_low", Durability.TELEMETRY, 2)
    refusals.note("card_full", Durability.CUSTODY, 1)
    told = refusals.due(0)
    assert [(d.node_kind, d.detail) for d in gap_drafts(told)] == [
        (GAP, "refused card_low telemetry 2"),
        (GAP, "refused card_full custody 1"),
    ]
    refusals.note("card_low", Durability.TELEMETRY, 3)
    refusals.told(told, 0)
    assert refusals.count == 3
    assert refusals.due(SAY_S * NS_PER_S - 1) == ()
    assert refusals.due(1, is_last=True) == refusals.due(SAY_S * NS_PER_S)
    refusals.told(refusals.due(SAY_S * NS_PER_S), 1)
    assert (refusals.count, refusals.due(2**60)) == (0, ())


def test_the_longest_reason_and_count_fit_into_a_record() -> None:
    (draft,) = gap_drafts(((("journal_damaged", Durability.TELEMETRY), 10**18),))
    try:
        check_text("detail", draft.detail)
    except RecordError as error:
        raise AssertionError(draft.detail) from error
