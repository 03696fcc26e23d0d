"""The audit: a ledger out of balance is found; every control must fail."""

from dataclasses import replace

import pytest

from simulators.findings import Scene
from simulators.judge import judge
from tests.simulators.judged import good_scene, with_store

SCENE = good_scene()
STORE = SCENE.store
LINE, TRANSFER = STORE.lines[1], STORE.transfers[2]

UNBALANCED = {
    "a posting missing": with_store(SCENE, transfers=STORE.transfers[:-1]),
    "the posting in the middle missing": with_store(
        SCENE, transfers=[STORE.transfers[0], TRANSFER]
    ),
    "a posting doubled": with_store(
        SCENE, transfers=[*STORE.transfers, replace(TRANSFER, transfer=4)]
    ),
    "a posting of another amount": with_store(
        SCENE, transfers=[*STORE.transfers[:2], replace(TRANSFER, amount_fen=81)]
    ),
    "a line missing": with_store(SCENE, lines=STORE.lines[:1]),
    "a line of another amount": with_store(
        SCENE, lines=[STORE.lines[0], replace(LINE, amount_fen=79)]
    ),
    "a line and its posting missing": with_store(
        SCENE, lines=STORE.lines[:1], transfers=STORE.transfers[:2]
    ),
    "a balance that nothing explains": with_store(
        SCENE, accounts=[*STORE.accounts[:2], replace(STORE.accounts[2], credits_fen=101)]
    ),
}


@pytest.mark.parametrize("scene", UNBALANCED.values(), ids=UNBALANCED)
def test_a_ledger_out_of_balance_is_found(scene: Scene) -> None:
    findings = judge(scene)
    assert not findings.is_balanced
    assert not findings.is_good
