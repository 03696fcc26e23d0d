"""Matching: what is lost, doubled or unchained is found; every control must fail."""

from dataclasses import replace

import pytest

from agreed.records import BOX_STARTED
from simulators.evidence import JournalFile
from simulators.findings import Scene
from simulators.judge import judge
from simulators.matching import head, newest_ms, started_ms, until
from tests.cloud.world import Chain, alive, fact
from tests.simulators.judged import good_scene, with_store

SCENE = good_scene()
STORE = SCENE.store
LOST = {
    "a record deleted": with_store(SCENE, records=STORE.records[:-1]),
    "the first record deleted": with_store(SCENE, records=STORE.records[1:]),
    "a record altered": with_store(
        SCENE, records=[*STORE.records[:-1], replace(STORE.records[-1], subject="w-02")]
    ),
    "a deed never recorded": replace(
        SCENE, deeds=[*SCENE.deeds, replace(SCENE.deeds[0], at_ms=2_100)]
    ),
    "a deed recorded at another time": replace(
        SCENE, deeds=[*SCENE.deeds[:2], replace(SCENE.deeds[2], at_ms=3_500)]
    ),
    "a deed recorded as another": replace(
        SCENE, deeds=[replace(SCENE.deeds[0], kinds=frozenset({"gate_refused"})), *SCENE.deeds[1:]]
    ),
    "a door opened without a record": replace(SCENE, doors_opened=[4, 4]),
}
DOUBLED = {
    "a record doubled under a new number": with_store(
        SCENE, records=[*STORE.records, replace(STORE.records[-1], sequence=5)]
    ),
    "a record doubled under its number": with_store(
        SCENE, records=[*STORE.records, STORE.records[1]]
    ),
    "a record without a deed": replace(SCENE, deeds=SCENE.deeds[1:]),
}
UNCHAINED = {
    "a block missing in the journal": replace(
        SCENE, journal=replace(SCENE.journal, blocks=SCENE.journal.blocks[1:])
    ),
    "a bit flipped in the journal": replace(
        SCENE,
        journal=replace(
            SCENE.journal,
            blocks=[SCENE.journal.blocks[0][:-40] + b"\x00" + SCENE.journal.blocks[0][-39:]],
        ),
    ),
    "a block missing at headquarters": with_store(
        SCENE, blocks=dict(list(STORE.blocks.items())[:1])
    ),
}


@pytest.mark.parametrize("scene", LOST.values(), ids=LOST)
def test_what_is_lost_is_found(scene: Scene) -> None:
    findings = judge(scene)
    assert findings.records_lost > 0
    assert not findings.is_good


@pytest.mark.parametrize("scene", DOUBLED.values(), ids=DOUBLED)
def test_what_is_doubled_is_found(scene: Scene) -> None:
    findings = judge(scene)
    assert findings.records_duplicated > 0
    assert not findings.is_good


@pytest.mark.parametrize("scene", UNCHAINED.values(), ids=UNCHAINED)
def test_a_broken_chain_is_found(scene: Scene) -> None:
    findings = judge(scene)
    assert not findings.is_chained
    assert not findings.is_good


def test_a_box_that_was_killed_owes_only_what_it_accepted() -> None:
    deeds = [replace(deed, is_owed=False) for deed in SCENE.deeds]
    tried = replace(SCENE.deeds[0], at_ms=2_100, is_owed=False)
    killed = replace(SCENE, deeds=[*deeds, tried], is_box_steady=False)
    assert judge(killed).is_good
    owed = replace(killed, deeds=[*killed.deeds, replace(SCENE.deeds[1], at_ms=9_000)] * 2)
    assert judge(owed).records_lost > 0


def test_what_a_box_wrote_while_we_were_reading_is_left_out() -> None:
    journal = SCENE.journal
    assert (head(journal), newest_ms(journal)) == (4, 4_000)
    assert until(journal, 4) == until(journal, 3) == journal
    assert head(until(journal, 2)) == 2
    nothing = until(journal, 0)
    assert (head(nothing), newest_ms(nothing)) == (0, 0)


def test_the_last_start_of_a_box_is_found() -> None:
    chain = Chain()
    blocks = [
        chain.block(fact(1_000, BOX_STARTED), alive(2_000)),
        chain.block(alive(3_000), fact(4_000, BOX_STARTED), alive(5_000)),
        chain.block(alive(6_000)),
    ]
    assert started_ms(JournalFile(blocks)) == 4_000
    assert started_ms(JournalFile(blocks[:1])) == 1_000
    assert started_ms(JournalFile([])) == 0
