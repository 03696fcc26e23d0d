import pytest

from agreed.words import RemedyError
from cloud.replay.events import Event, EventReader, Said
from cloud.replay.mapping import Mapping
from cloud.replay.rows import Row, Unreadable
from tests.cloud.replay.logs import mapping

HEADER = ["order", "node", "who", "at", "due", "closed", "owner"]
GOOD = ["o1", "arrive", "w1", "1000", "2000", "3000", "w9"]


def read(cells: list[str], how: Mapping | None = None) -> Event | Unreadable:
    return EventReader(Row(1, HEADER), how or mapping()).read(Row(2, cells))


def test_a_row_says_what_happened_and_what_was_promised() -> None:
    assert read(GOOD) == Event(
        2,
        "o1",
        "arrive",
        "w1",
        1000,
        (Said(2000, 3000, "w9"), Said(2000, None, None), Said(2000, None, None)),
    )


def test_columns_stand_in_any_order_and_others_are_passed_over() -> None:
    header = Row(1, [" extra", *reversed(HEADER)])
    found = EventReader(header, mapping()).read(Row(2, ["?", *reversed(GOOD)]))
    assert found == read(GOOD)


def test_what_the_mapping_calls_missing_is_missing() -> None:
    how = mapping('file = { missing = ["EMPTY", "-"] }\n')
    found = read(["o1", "arrive", "EMPTY", "1000", "-", " - ", ""], how)
    assert isinstance(found, Event)
    assert found.actor == ""
    assert found.said[0] == Said(None, None, None)


def test_a_step_is_renamed() -> None:
    how = mapping('rename = { "arrive" = "task_started", "gap" = "break" }\n')
    for said, step in (("arrive", "task_started"), ("gap", "break"), ("other", "other")):
        found = read(["o1", said, *GOOD[2:]], how)
        assert isinstance(found, Event)
        assert found.step == step


def test_columns_may_count_only_on_the_rows_of_one_step() -> None:
    how = mapping()
    rule = how.promise[0].model_copy(update={"rows_of": "close"})
    how = how.model_copy(update={"promise": [rule, *how.promise[1:]]})
    on_other, on_step = read(GOOD, how), read(["o1", "close", *GOOD[2:]], how)
    assert isinstance(on_other, Event)
    assert isinstance(on_step, Event)
    assert on_other.said[0] == Said(None, None, None)
    assert on_step.said[0] == Said(2000, 3000, "w9")


@pytest.mark.parametrize(
    ("place", "cell", "why"),
    [
        (0, "", "order: is empty"),
        (0, "o" * 65, "order: longer than 64 bytes"),
        (1, " ", "node: is empty"),
        (1, "import: closed", "node: import: closed is reserved"),
        (1, "box_alive", "node: box_alive is reserved"),
        (2, "w\x00", "who: control characters"),
        (3, "", "at: is empty"),
        (3, "soon", "at: “soon” is not a time in a known form"),
        (3, "9" * 70, f"at: “{'9' * 40}…” is too long"),
        (4, "2024-03-05", "due: “2024-03-05” has no time of day"),
        (5, "2024-03-05 11:00:00", "closed: “2024-03-05 11:00:00” has no offset"),
        (6, "x\ty", "owner: control characters"),
    ],
)
def test_an_unreadable_row_names_the_column(place: int, cell: str, why: str) -> None:
    found = read([*GOOD[:place], cell, *GOOD[place + 1 :]])
    assert isinstance(found, Unreadable)
    assert found.reason.startswith(why)
    assert found.case == ("o1" if place else (cell or None))


@pytest.mark.parametrize("cells", [GOOD[:-1], [*GOOD, ""], []])
def test_a_row_of_another_width_is_unreadable(cells: list[str]) -> None:
    found = read(cells)
    assert isinstance(found, Unreadable)
    assert found.reason == f"has {len(cells)} cells, the header 7"
    assert found.case == ("o1" if cells else None)


@pytest.mark.parametrize(
    ("header", "why"),
    [
        (HEADER[:-1], "no column owner: .*: order, node, who, at, due, closed"),
        ([*HEADER, "due"], "column due twice"),
        ([";".join(HEADER)], "single column: say file.delimiter = “;”"),
        (["\t".join(HEADER)], r"single column: say file.delimiter = “\\t”"),
        (["order"], "no column node"),
    ],
)
def test_a_wrong_header_names_the_remedy(header: list[str], why: str) -> None:
    with pytest.raises(RemedyError, match=why):
        EventReader(Row(1, header), mapping())
