from pathlib import Path

import pytest

from simulators.world.door_judge import Found, Offer, judge_found, judge_refused, look

OFFERS = [Offer(["a", "b"], is_taken=True), Offer(["c"], is_taken=False), Offer(["d"])]
WRONG = {
    "gone": (["a"], "a", "said to be taken, and gone: ['b']"),
    "torn": (["a"], "a", "taken in part only: ['a']"),
    "refused": (["a", "b", "c"], "c", "said to be refused, and there: ['c']"),
    "never": (["a", "b", "x"], "x", "never offered: ['x']"),
    "twice": (["a", "b", "b"], "b", "records are there twice"),
    "order": (["b", "a"], "a", "not in the order"),
    "kept": (["a", "b", "d"], "b", "what is kept is of b"),
}


@pytest.mark.parametrize("held", [["a", "b"], ["a", "b", "d"]])
def test_what_nobody_was_told_of_may_be_there_or_not(held: list[str]) -> None:
    assert judge_found(Found(held, [], held[-1], is_chained=True), OFFERS) == []


@pytest.mark.parametrize("wrong", WRONG)
def test_everything_that_is_not_so_is_said(wrong: str) -> None:
    held, kept, sentence = WRONG[wrong]
    said = judge_found(Found(held, [], kept, is_chained=True), OFFERS)
    assert any(sentence in one for one in said), said


def test_a_broken_chain_is_said() -> None:
    assert judge_found(Found(["a", "b"], [], "b", is_chained=False), OFFERS) == [
        "the chain is broken"
    ]


def test_a_life_that_ended_in_order_has_told_of_everything_it_refused() -> None:
    found = Found([], [(3, 7), (9, 2)], None, is_chained=True)
    assert judge_refused(found, 5, 2, is_whole=True) == []
    assert judge_refused(found, 5, 3, is_whole=False) == []
    assert judge_refused(found, 5, 3, is_whole=True) != []
    assert judge_refused(found, 5, 1, is_whole=False) != []


def test_an_empty_card_holds_nothing(tmp_path: Path) -> None:
    card = tmp_path / "card"
    card.mkdir()
    assert look(card, tmp_path / "copy") == Found([], [], None, is_chained=True)
    assert not (tmp_path / "copy").exists()
