from pydantic import TypeAdapter

from cloud.database.views import EvidenceView, NodeView
from tests.cloud.world import HOUR, T0, World, passed


def test_numbers_inside_are_words_outside(world: World) -> None:
    world.order("o-1")
    world.tell(passed(T0 + HOUR))
    node = world.view("o-1").nodes[0]
    shown = TypeAdapter(NodeView).dump_python(node, mode="json")
    assert (shown["verdict"], shown["match"]) == ("kept", "by_worker")
    assert node.evidence is not None
    record = TypeAdapter(EvidenceView).dump_python(node.evidence, mode="json")["record"]
    assert (record["clock_state"], record["evidence"]) == ("synced", "device")
