import pytest
from pydantic import ValidationError

from agreed.words import language
from agreed.wrong_fields import explain
from cloud.office.orders import OrderRequest
from cloud.settlement.packs import Pack
from tests.cloud.world import CLEANING, T0

ORDER = {"pack": "cleaning", "booked_from_ms": T0}
NODE = {"key": "arrive", "tolerance_minutes": 1}


def wrong(content: object, model: type[OrderRequest | Pack] = OrderRequest) -> tuple[str, str]:
    with pytest.raises(ValidationError) as caught:
        model.model_validate(content)
    found = caught.value.errors()[0]
    return explain(found, ".".join(str(part) for part in found["loc"]), "body")


@pytest.mark.parametrize(
    ("content", "field", "said"),
    [
        ({}, "pack", "pack is missing; add it."),
        (ORDER | {"hi": 1}, "hi", "There is no field hi; correct its spelling or leave it out."),
        (ORDER | {"pack": None}, "pack", "pack must be text."),
        (ORDER | {"income_fen": 1.5}, "income_fen", "income_fen must be a whole number."),
        (ORDER | {"income_fen": -1}, "income_fen", "income_fen must be at least 0."),
        (
            ORDER | {"order_id": ""},
            "order_id",
            "order_id is too short; give at least 1 characters.",
        ),
        (
            ORDER | {"order_id": "x" * 65},
            "order_id",
            "order_id: at most 64 bytes, without control characters.",
        ),
        (
            ORDER | {"booked_until_ms": 1},
            "booked_until_ms",
            "booked_until_ms: must not be before booked_from_ms.",
        ),
        (ORDER | {"nodes": [NODE, NODE]}, "nodes", "nodes: name each node once."),
        (
            ORDER | {"nodes": [NODE | {"crew": 3}]},
            "nodes.0.crew",
            "nodes.0.crew must be a list.",
        ),
        (3, "body", "body must hold named fields."),
    ],
)
def test_the_field_and_the_remedy_are_named(content: object, field: str, said: str) -> None:
    language.set("en")
    assert wrong(content) == (field, said)


def test_names_and_choices_are_explained() -> None:
    language.set("en")
    pack = CLEANING.model_dump(mode="json")
    assert "a-z, 0-9" in wrong(pack | {"key": "Nord Est"}, Pack)[1]
    node = pack["nodes"][0] | {"match": "luck"}
    field, said = wrong(pack | {"nodes": [node]}, Pack)
    assert field == "nodes.0.match"
    assert said.endswith("must be one of 'order', 'worker', 'turn'.")


def test_every_sentence_is_chinese_in_chinese() -> None:
    language.set("zh")
    for content in ({}, ORDER | {"hi": 1}, ORDER | {"booked_until_ms": 1}, ORDER | {"pack": 1}):
        field, said = wrong(content)
        assert field in said
        assert said.endswith("。")


def test_the_sentences_of_a_room_stand_before_the_common_ones() -> None:
    language.set("en")
    found = {"type": "missing", "msg": "Field required", "loc": ("site",)}
    special = {"missing": "give {field} a value."}
    assert explain(found, "site", "body", special) == ("site", "give site a value.")
