import pytest

from simulators.campaigns.sharing import folder_in_memory
from simulators.power.cards import Cards, spoil


@pytest.mark.parametrize("is_control", [False, True])
def test_every_flipped_bit_and_every_old_card_is_noticed(*, is_control: bool) -> None:
    with folder_in_memory("cards") as folder:
        cards = spoil(folder, 300, 4, is_control=is_control)
    assert cards.flipped == cards.harmless + cards.noticed + cards.beside + cards.failed
    assert cards.set_back == cards.stopped > 0
    assert (cards.failed > 0) is is_control, cards.faults


def test_what_processes_saw_is_added_up() -> None:
    cards = Cards(flipped=3, noticed=2, failed=1, faults=["one"])
    cards.add(Cards(flipped=2, harmless=2))
    assert (cards.flipped, cards.harmless, cards.failed) == (5, 2, 1)
    assert cards.summary()["faults"] == ["one"]
