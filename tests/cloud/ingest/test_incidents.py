"""Kinds of incidents keep their names: the store remembers them."""

from cloud.ingest.incidents import IncidentKind


def test_names_in_the_store_stay() -> None:
    assert {kind.value for kind in IncidentKind} == {
        "forked",
        "cloned",
        "set_back",
        "other_key",
        "unsigned",
        "foreign",
        "malformed",
        "clocks",
    }
