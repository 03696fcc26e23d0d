"""Who may speak, and with which key."""

from agreed.messages import Refusal
from cloud.database.engine import writing
from cloud.database.fleet import BoxName, find_box
from cloud.ingest.decision import Holding
from cloud.ingest.incidents import IncidentKind
from cloud.ingest.standing import hold_journal, refused, standing_of
from tests.cloud.world import BOX, KEY, T0, World

STRANGER = BoxName("acme", "north", "stranger")


def test_only_accepted_boxes_stand_and_strangers_become_pending(world: World) -> None:
    with writing(world.engine) as connection:
        standing = standing_of(connection, BOX, T0)
        assert standing is not None
        assert standing.key is not None
        assert (standing.key.public, standing.incident) == (KEY.public, None)
        assert standing_of(connection, STRANGER, T0) is None
        found = find_box(connection, STRANGER)
        assert found is not None
        assert found.status == "pending"


def test_a_journal_begins_with_nothing(world: World) -> None:
    with writing(world.engine) as connection:
        assert hold_journal(connection, BOX, b"z" * 16, T0) == Holding()
        assert hold_journal(connection, BOX, b"z" * 16, T0) == Holding()


def test_a_refusal_says_what_kind_it_is() -> None:
    assert refused(IncidentKind.FORKED, "").refusal == Refusal.FORKED
    assert refused(IncidentKind.UNSIGNED, "").refusal == Refusal.UNSIGNED
    assert refused(IncidentKind.OTHER_KEY, "").refusal == Refusal.OTHER_KEY
    assert refused(IncidentKind.FOREIGN, "why").reason == "why"
