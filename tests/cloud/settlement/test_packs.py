import pytest
from pydantic import ValidationError

from agreed.promises import Match
from agreed.records import Evidence
from cloud.settlement.packs import MatchBy, Pack, WeakestEvidence
from tests.cloud.world import CLEANING

GOOD = CLEANING.model_dump(mode="json")


def test_a_pack_is_data() -> None:
    assert Pack.model_validate_json(CLEANING.model_dump_json()) == CLEANING
    finish = CLEANING.node("finish")
    assert finish is not None
    assert finish.rate_fen == 2_501
    assert CLEANING.node("none") is None
    assert [m.match for m in MatchBy] == list(Match)
    assert [e.evidence for e in WeakestEvidence] == list(Evidence)


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"key": "Big Pack"}, "key"),
        ({"price_fen": -1}, "price_fen"),
        ({"price_fen": 1.5}, "price_fen"),
        ({"price_fen": 6_000}, "price_fen"),
        ({"supplier": ""}, "supplier"),
        ({"pool_bp": 10_001}, "pool_bp"),
        ({"nodes": []}, "nodes"),
        ({"nodes": [GOOD["nodes"][0]] * 2}, "nodes"),
        ({"nodes": [GOOD["nodes"][0] | {"hard_minutes": 10}]}, "hard_minutes"),
        ({"nodes": [GOOD["nodes"][0] | {"rate_fen": -1}]}, "rate_fen"),
        ({"bonus": "rate * 2"}, "bonus"),
    ],
)
def test_a_wrong_pack_names_the_field(change: dict[str, object], named: str) -> None:
    with pytest.raises(ValidationError, match=named):
        Pack.model_validate(GOOD | change)
