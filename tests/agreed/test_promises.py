from dataclasses import replace
from typing import Any

import pytest

from agreed.limits import BASIS_POINTS, SPAN_MS_MAX, WALL_MS_MAX
from agreed.promises import Match, Promise, PromiseError, to_terms
from agreed.records import RecordError

GOOD = Promise("o", "n", "w", "k", Match.BY_WORKER, 0, 10, 1, 2)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("order", ""),
        ("node", ""),
        ("node_kind", ""),
        ("worker", ""),
        ("place", "g"),
        ("opens_at_ms", -1),
        ("promised_at_ms", WALL_MS_MAX + 1),
        ("opens_at_ms", 11),
        ("tolerance_ms", -1),
        ("hard_ms", 1),
        ("hard_ms", SPAN_MS_MAX + 1),
        ("at_risk_ms", -1),
        ("at_risk_ms", SPAN_MS_MAX + 1),
        ("early_bp_per_hour", BASIS_POINTS + 1),
        ("early_bp_max", -1),
        ("weight", -1),
    ],
)
def test_a_field_out_of_range_is_named(field: str, value: Any) -> None:
    with pytest.raises(PromiseError, match=field):
        replace(GOOD, **{field: value})


@pytest.mark.parametrize("field", ["order", "node", "worker", "node_kind", "place"])
def test_text_must_fit_a_record(field: str) -> None:
    too_long: dict[str, Any] = {field: "x" * 65}
    with pytest.raises(RecordError, match=field):
        replace(GOOD, **too_long)


def test_a_turn_needs_worker_and_place() -> None:
    turn = replace(GOOD, match=Match.BY_TURN, place="g")
    with pytest.raises(PromiseError, match="place"):
        replace(turn, place="")
    with pytest.raises(PromiseError, match="worker"):
        replace(turn, worker="")
    assert replace(GOOD, match=Match.BY_ORDER, worker="").worker == ""


def test_terms_keep_the_order_of_promises() -> None:
    terms = to_terms([GOOD, replace(GOOD, promised_at_ms=20, hard_ms=9)])
    assert terms.promised_at_ms.tolist() == [10, 20]
    assert terms.hard_ms.tolist() == [2, 9]
    assert len(to_terms([])) == 0
