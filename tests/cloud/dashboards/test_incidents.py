"""Every kind of incident is explained for a person, in both languages, with a way out."""

import pytest

from agreed.words import language
from cloud.dashboards.incidents import detail_word, incident_story, incident_word
from cloud.ingest.incidents import IncidentKind


@pytest.mark.parametrize("chosen", ["zh", "en"])
def test_every_kind_is_explained_with_a_way_out(chosen: str) -> None:
    token = language.set(chosen)
    try:
        stories = {kind: incident_story(kind, "north/gate") for kind in IncidentKind}
    finally:
        language.reset(token)
    assert len({story.word for story in stories.values()}) == len(IncidentKind)
    assert len({story.cause for story in stories.values()}) == len(IncidentKind)
    for kind, story in stories.items():
        assert story.word != kind
        assert "north/gate" in story.remedy


def test_what_is_not_known_is_shown_as_written() -> None:
    assert incident_word("new-kind") == "new-kind"
    assert incident_story("new-kind").cause
    assert (detail_word("new_key"), detail_word("epoch")) != ("new_key", "epoch")
