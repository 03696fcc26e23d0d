"""The cast: everybody once, the same by the same seed."""

from agreed.directives import CodeAction, PutCredential, Role
from simulators.cast import PACKS, WORKERS, Service, cast_of, wiegand_card


def test_the_same_seed_invents_the_same_people() -> None:
    assert cast_of(3, 40) == cast_of(3, 40)
    assert cast_of(3, 40) != cast_of(4, 40)


def test_everybody_has_a_card_of_their_own() -> None:
    cast = cast_of(1, 300)
    workers = cast.everyone_working()
    cards = [person.card for person in (*workers, *cast.residents)] + list(cast.foreign_cards)
    assert len(workers) == 12
    assert len(cast.residents) == 300
    assert len(set(cards)) == len(cards)
    assert len({worker.name for worker in workers}) == 12
    assert {service: len(group) for service, group in cast.workers.items()} == WORKERS


def test_a_card_is_26_bits_with_both_parities() -> None:
    for number in (1, 2, 4095, 4096, 65_535):
        bits, _, digits = wiegand_card(77, number).partition(":")
        value = int(digits, 16) >> 6
        assert bits == "26"
        assert len(digits) == 8
        assert (value >> 13).bit_count() % 2 == 0
        assert (value & 0x1FFF).bit_count() % 2 == 1
        assert (value >> 1) & 0xFFFF == number


def test_a_card_is_what_a_credential_may_hold() -> None:
    PutCredential(
        card=wiegand_card(77, 1),
        subject="w-01",
        role=Role.WORKER,
        valid_from_ms=0,
        valid_until_ms=1,
    )


def test_every_service_has_a_pack_that_pays_workers_and_never_residents() -> None:
    assert set(PACKS) == set(Service)
    for pack in PACKS.values():
        for node in pack.nodes:
            assert (node.rate_fen > 0) == (node.code is not CodeAction.COLLECT)
            assert node.tolerance_minutes < node.hard_minutes
