"""The box believes what agrees, and journals what headquarters would miss."""

from agreed.anchors import Anchor, AnchorSource
from agreed.machine import NS_PER_MS, NS_PER_S
from edge.anchoring import ANCHORS_HELD_MAX, CONTRADICTED_NS, CROSS_CHECK_NS, Anchoring

NOON_NS = 1_795_000_000 * NS_PER_S
KERNEL, HEADQUARTERS, BATTERY = AnchorSource


def said(mono_ns: int, error_ms: int = 2, off_ns: int = 0, source: AnchorSource = KERNEL) -> Anchor:
    true_ns, error_ns = NOON_NS + mono_ns + off_ns, error_ms * NS_PER_MS
    return Anchor(source, mono_ns, true_ns - error_ns, true_ns + error_ns)


def test_the_first_anchor_is_journaled_and_those_that_add_little_are_not() -> None:
    anchoring = Anchoring()
    for second in range(1_000):
        assert anchoring.learn(said(second * NS_PER_S))
    assert [a.mono_ns for a in anchoring.to_journal()] == [0]
    assert anchoring.to_journal() == []
    anchoring.learn(said(2_100 * NS_PER_S))
    assert [a.mono_ns for a in anchoring.to_journal()] == [2_100 * NS_PER_S]


def test_every_source_is_a_cross_check_now_and_then() -> None:
    anchoring = Anchoring()
    anchoring.learn(said(0))
    anchoring.learn(said(1, 500, source=HEADQUARTERS))
    anchoring.learn(said(2, 500, source=HEADQUARTERS))
    anchoring.learn(said(CROSS_CHECK_NS + 2, 5_000, source=HEADQUARTERS))
    assert [a.mono_ns for a in anchoring.to_journal()] == [0, 1, CROSS_CHECK_NS + 2]


def test_what_is_not_journaled_still_bounds_the_time() -> None:
    anchoring = Anchoring()
    anchoring.learn(said(0, 100))
    anchoring.learn(said(NS_PER_S, 2))
    assert len(anchoring.to_journal()) == 1
    bounds = anchoring.bounds(2 * NS_PER_S)
    assert bounds is not None
    assert bounds[1] - bounds[0] < 6 * NS_PER_MS


def test_a_moment_before_the_last_anchor_is_bounded_backward() -> None:
    anchoring = Anchoring()
    anchoring.learn(said(100 * NS_PER_S))
    bounds = anchoring.bounds(50 * NS_PER_S)
    assert bounds is not None
    assert bounds[0] <= NOON_NS + 50 * NS_PER_S <= bounds[1]
    assert 2 * 27 * NS_PER_MS <= bounds[1] - bounds[0] <= 2 * 28 * NS_PER_MS


def test_two_that_contradict_are_certain_of_nothing_until_a_third_speaks() -> None:
    anchoring = Anchoring()
    assert anchoring.learn(said(0))
    hour_ns = 3_600 * NS_PER_S
    assert not anchoring.learn(said(NS_PER_S, off_ns=hour_ns, source=HEADQUARTERS))
    assert anchoring.bounds(NS_PER_S) is None
    assert not anchoring.learn(said(2 * NS_PER_S))
    assert anchoring.learn(said(CONTRADICTED_NS))
    bounds = anchoring.bounds(CONTRADICTED_NS)
    assert bounds is not None
    assert bounds[0] <= NOON_NS + CONTRADICTED_NS <= bounds[1]
    assert len(anchoring.to_journal()) == 3


def test_a_source_that_goes_on_contradicting_is_bounded_in_what_it_journals() -> None:
    anchoring = Anchoring()
    for second in range(3_600):
        off_ns = 3_600 * NS_PER_S if second % 2 else 0
        anchoring.learn(said(second * NS_PER_S, off_ns=off_ns))
    assert len(anchoring.to_journal()) <= ANCHORS_HELD_MAX


def test_a_battery_is_forgotten_once_somebody_better_speaks() -> None:
    anchoring = Anchoring()
    assert anchoring.learn(said(0, 60_000, off_ns=-3_600 * NS_PER_S, source=BATTERY))
    assert anchoring.learn(said(NS_PER_S, 90_000))
    bounds = anchoring.bounds(NS_PER_S)
    assert bounds is not None
    assert bounds[0] <= NOON_NS + NS_PER_S <= bounds[1]
    assert not anchoring.learn(said(2 * NS_PER_S, 60_000, source=BATTERY))
