import json
from random import Random

from simulators.campaigns.mutating import mutated, mutated_document

GOOD = bytes(range(40))


def test_bytes_are_changed_and_the_same_dice_change_them_alike() -> None:
    made = {mutated(GOOD, Random(seed), [GOOD]) for seed in range(200)}
    assert len(made) > 150
    assert mutated(GOOD, Random(3), [GOOD]) == mutated(GOOD, Random(3), [GOOD])
    assert any(len(data) > len(GOOD) for data in made)
    assert any(len(data) < len(GOOD) for data in made)


def test_nothing_at_all_can_be_changed_too() -> None:
    for seed in range(100):
        mutated(b"", Random(seed), [b""])


def test_a_document_stays_a_document() -> None:
    text = '{"kind": "x", "list": [{"a": 1}], "empty": {}}'
    made = {mutated_document(text, Random(seed)) for seed in range(200)}
    assert len(made) > 100
    for one in made:
        json.loads(one)
