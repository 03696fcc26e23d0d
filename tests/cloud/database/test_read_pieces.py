from cloud.database.engine import reading
from cloud.database.read_pieces import read_pieces
from tests.cloud.office.test_settling import MONTH
from tests.cloud.settlement.small_month import plan
from tests.cloud.world import HOUR, PLACE, T0, World, alive, finished, passed

SPLIT = {"pack": "cleaning", "node": "finish"}
SHARES = [{"role": "lead", "share_bp": 6_000}, {"role": "mate", "share_bp": 4_000}]


def test_a_crew_is_paid_by_the_split_and_everybody_sees_a_part(world: World) -> None:
    crew = [{"worker": "w-2", "role": "mate"}]
    nodes = [{"key": "arrive"}, {"key": "finish", "role": "lead", "quantity": 2, "crew": crew}]
    world.order("o-1", nodes=nodes)
    world.order("o-2", worker="w-2")
    facts = passed(T0 + HOUR), passed(T0 + HOUR, worker="w-2"), finished(T0 + 2 * HOUR, "o-1")
    world.tell(*facts, alive(T0 + 9 * HOUR))
    of = plan(from_period=MONTH, splits=[SPLIT | {"shares": SHARES}])

    def read(worker: str) -> list[tuple[str, str, str, int]]:
        with reading(world.engine) as connection:
            found = read_pieces(connection, PLACE, MONTH, of, worker)
        assert all(p.formula.endswith(f"{p.amount_fen} fen") for p in found)
        return sorted((p.order_id, p.node, p.role, p.amount_fen) for p in found)

    assert read("w-1") == [("o-1", "arrive", "", 500), ("o-1", "finish", "lead", 3_001)]
    assert read("w-2") == [
        ("o-1", "finish", "mate", 2_001),
        ("o-2", "arrive", "", 500),
        ("o-2", "finish", "", 0),
    ]
    assert read("w-3") == []
