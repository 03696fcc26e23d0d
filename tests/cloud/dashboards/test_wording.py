import pytest

from agreed import records
from agreed.promises import Verdict
from agreed.records import ClockState, Evidence
from agreed.words import language
from cloud.dashboards import wording
from tests.cloud.dashboards.example import PACKS


@pytest.mark.parametrize("spoken", ["zh", "en"])
def test_every_verdict_has_its_own_word_shape_and_meaning(spoken: str) -> None:
    language.set(spoken)
    assert len({wording.verdict_word(v) for v in Verdict}) == len(Verdict)
    assert len({wording.verdict_meaning(v) for v in Verdict}) == len(Verdict)
    assert len({wording.mark(wording.VERDICT_NAMES[v]) for v in Verdict}) == len(Verdict)
    assert {v for _, v in wording.WORST_FIRST} == set(Verdict)


def test_signals_borrow_shapes_of_verdicts() -> None:
    assert {wording.mark(level) for level in ("good", "warn", "bad", "unknown")} == {
        wording.mark(name) for name in ("kept", "late", "missed", "open")
    }


def test_every_node_kind_of_the_box_is_said_in_chinese() -> None:
    language.set("zh")
    kinds = [records.GATE_PASSED, records.PARCEL_COLLECTED, records.BOX_ALIVE, records.GAP]
    assert all(not wording.node_word(kind).isascii() for kind in kinds)
    assert wording.node_word("only_in_a_pack") == "only_in_a_pack"


def test_every_evidence_class_and_clock_state_has_words() -> None:
    assert len({wording.evidence_word(e) for e in Evidence}) == len(Evidence)
    assert len({wording.clock_word(c) for c in ClockState}) == len(ClockState)


def test_names_follow_the_language() -> None:
    assert wording.titled(PACKS[0]) == "Group-buy parcel to locker"
    language.set("zh")
    assert wording.titled(PACKS[0]) == "团购快递入柜"


def test_a_segment_has_a_word_or_stays_as_written() -> None:
    language.set("en")
    assert wording.segment_word("vulnerable") == "vulnerable residents"
    assert wording.segment_word("block 7") == "block 7"
