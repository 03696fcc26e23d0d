from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agreed.words import RemedyError
from cloud.replay.mapping import FileForm
from cloud.replay.rows import ROW_LINES_MAX, Line, Row, Unreadable, split_rows


def split(data: bytes, **form: str) -> list[tuple[int, list[str] | str]]:
    found = split_rows(lines(data), FileForm.model_validate(form))
    return [(r.line, r.cells if isinstance(r, Row) else r.reason) for r in found]


def lines(data: bytes) -> Iterator[Line]:
    for i, line in enumerate(data.splitlines(keepends=True)):
        yield Line(i + 1, line, len(line))


def test_cells_line_ends_and_blank_lines() -> None:
    assert split(b"a,b\r\n1,2\n\n,,\n  \n3,\n") == [
        (1, ["a", "b"]),
        (2, ["1", "2"]),
        (6, ["3", ""]),
    ]


def test_the_byte_order_mark_is_no_part_of_the_first_name() -> None:
    assert split(b"\xef\xbb\xbfa,b\n") == [(1, ["a", "b"])]


def test_a_quoted_cell_may_hold_delimiters_quotes_and_line_breaks() -> None:
    assert split(b'a;b\n"x;\n""y""";2\n3;4\n', delimiter=";") == [
        (1, ["a", "b"]),
        (2, ['x;\n"y"', "2"]),
        (4, ["3", "4"]),
    ]


def test_a_quote_never_closed_costs_one_row() -> None:
    data = b'1,"open\n' + b"2,x\n" * (ROW_LINES_MAX + 5)
    found = split(data)
    assert found[0] == (1, "opens a quote that is not closed")
    assert len(found) == ROW_LINES_MAX + 6
    assert found[-1] == (ROW_LINES_MAX + 6, ["2", "x"])


def test_a_quote_never_closed_at_the_end_costs_one_row() -> None:
    assert split(b'1,"open\n2,x\n') == [(1, "opens a quote that is not closed"), (2, ["2", "x"])]


def test_text_after_a_closing_quote_is_no_csv() -> None:
    (first, second) = split(b'1,"a"b\n2,x\n')
    assert first[0] == 1
    assert "not valid CSV" in str(first[1])
    assert second == (2, ["2", "x"])


def test_a_line_too_long_costs_one_row() -> None:
    given_lines = [Line(1, b"a,b\n", 4), Line(2, b"", 10**6, is_cut=True), Line(3, b"1,2\n", 4)]
    found = list(split_rows(given_lines, FileForm()))
    assert found == [
        Row(1, ["a", "b"]),
        Unreadable(2, "is longer than 65536 bytes"),
        Row(3, ["1", "2"]),
    ]


def test_another_encoding_is_a_mistake_in_the_mapping_unless_it_is_named() -> None:
    data = "步骤,b\n1,2\n".encode("gb18030")
    with pytest.raises(RemedyError, match=r"Line 1 is not UTF-8: say file\.encoding"):
        split(data)
    assert split(data, encoding="gb18030")[0] == (1, ["步骤", "b"])


def test_with_the_encoding_named_a_line_that_does_not_fit_costs_one_row() -> None:
    assert split(b"a,b\n\xff,1\n2,3\n", encoding="utf-8") == [
        (1, ["a", "b"]),
        (2, "is not utf-8"),
        (3, ["2", "3"]),
    ]


def test_utf16_names_the_remedy() -> None:
    with pytest.raises(RemedyError, match="UTF-16: save it as UTF-8"):
        split("a,b\n".encode("utf-16"))


@given(st.binary(max_size=300))
def test_any_bytes_give_rows_in_order_of_their_lines(data: bytes) -> None:
    found = split(data, encoding="latin-1")
    numbers = [line for line, _ in found]
    assert numbers == sorted(set(numbers))
