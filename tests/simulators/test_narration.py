"""Narration: one sentence for each act, residents never by name."""

from agreed.directives import CodeAction
from agreed.words import language
from simulators.cast import GATES, KIOSK, cast_of
from simulators.day import Act, Visit
from simulators.narration import Narrator, clock_text

CAST = cast_of(0, 2)
WORKER = CAST.everyone_working()[0]


def said(person: str, act: Act) -> str:
    language.set("en")
    return Narrator(CAST).sentence(Visit(person, (act,)), act)


def test_every_act_has_a_sentence() -> None:
    assert said(WORKER.id, Act(0, GATES[0], WORKER.card)) == f"{WORKER.name} at the north gate"
    assert said("stranger", Act(0, GATES[1], CAST.foreign_cards[0])) == (
        "a foreign card at the south gate"
    )
    assert said("stranger", Act(0, KIOSK, "FOREIGN-1")) == "a foreign code at the kiosk"
    for action in CodeAction:
        assert "p0001" in said(WORKER.id, Act(0, KIOSK, "", action, "p0001"))


def test_residents_are_not_named() -> None:
    assert said("r-001", Act(0, KIOSK, "", CodeAction.COLLECT, "p0001")) == (
        "a resident collects p0001"
    )


def test_the_time_of_day_has_hours_and_minutes() -> None:
    assert clock_text(7 * 3_600_000 + 5 * 60_000) == "07:05"
    assert clock_text(22 * 3_600_000) == "22:00"
