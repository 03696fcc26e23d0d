"""The judge: satisfied with a good day, and with nothing less."""

from dataclasses import replace

from agreed.promises import Verdict
from simulators.judge import judge
from tests.simulators.judged import good_scene, with_store

SCENE = good_scene()
STORE = SCENE.store


def test_a_good_day_is_found_good() -> None:
    findings = judge(SCENE)
    assert findings.faults == []
    assert findings.is_good
    assert (findings.records_journaled, findings.records_committed) == (4, 4)
    assert (findings.records_lost, findings.records_duplicated) == (0, 0)
    assert findings.promises == {
        "open": 0,
        "kept": 2,
        "late": 0,
        "missed": 0,
        "undecidable": 0,
    }
    assert findings.commission_fen == findings.commission_expected_fen == 100
    assert findings.earned_fen == {"w-01": 100}


def test_a_verdict_that_does_not_follow_is_found() -> None:
    wrong = replace(STORE.promises[0], verdict=Verdict.LATE)
    findings = judge(with_store(SCENE, promises=[wrong, *STORE.promises[1:]]))
    assert findings.promises_wrong == 2  # neither from the records nor from the deeds
    assert not findings.is_good


def test_a_promise_that_headquarters_never_heard_of_is_found() -> None:
    assert judge(replace(SCENE, promises_count=2)).is_good
    assert not judge(replace(SCENE, promises_count=3)).is_good


def test_a_program_that_ended_by_itself_is_found() -> None:
    assert not judge(replace(SCENE, ended=("box",))).is_good
