from cloud.database import masters
from cloud.database.engine import reading, writing
from tests.cloud.world import CLEANING, LATER, PLACE, T0, World


def test_cards_in_force(world: World) -> None:
    values = {"subject": "w-1", "role": "worker", "valid_from_ms": T0, "valid_until_ms": LATER}
    with writing(world.engine) as connection:
        for card in ("c-2", "c-1", "c-3"):
            masters.put_credential(connection, PLACE, card, **values)
        assert masters.end_credential(connection, PLACE, "c-2", T0)
        assert not masters.end_credential(connection, PLACE, "c-2", T0)
    with reading(world.engine) as connection:
        found = masters.credentials_in_force(connection, PLACE, T0)
        assert [row.card for row in found] == ["c-1", "c-3"]
        assert masters.credentials_in_force(connection, PLACE, LATER) == []


def test_workers_and_companies(world: World) -> None:
    with reading(world.engine) as connection:
        known = masters.known_workers(connection, PLACE, {"w-1", "w-9"})
        assert known == {"w-1"}
        assert masters.companies(connection) == ["acme"]


def test_packs_have_versions(world: World) -> None:
    newer = CLEANING.model_copy(update={"price_fen": 30_000})
    with writing(world.engine) as connection:
        assert masters.add_pack(connection, "acme", newer, T0) == 2
        assert masters.add_pack(connection, "acme", CLEANING, T0) == 3
        assert masters.newest_pack(connection, "acme", "cleaning") == (3, CLEANING)
        assert masters.newest_pack(connection, "acme", "none") == (0, None)
        assert masters.newest_packs(connection, "acme") == [(3, CLEANING)]
