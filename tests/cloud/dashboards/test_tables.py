import asyncio
import csv
import io
import json
from typing import Any

import pytest
from fastapi.responses import StreamingResponse

from cloud.dashboards import tables


def body(response: StreamingResponse) -> str:
    async def read() -> str:
        parts: list[Any] = [part async for part in response.body_iterator]
        return "".join(parts)

    return asyncio.run(read())


@pytest.mark.parametrize("cell", ["=1+1", "+1", "-1", "@a", "\t=1", " =1", "=cmd|' /C calc'!A0"])
def test_text_that_looks_like_a_formula_is_made_harmless(cell: str) -> None:
    assert tables.harmless(cell) == "'" + cell


@pytest.mark.parametrize(("cell", "kept"), [(-5, -5), ("w01", "w01"), (None, ""), ("", "")])
def test_numbers_and_plain_text_stay(cell: tables.Cell, kept: tables.Cell) -> None:
    assert tables.harmless(cell) == kept


def test_csv_has_a_bom_and_reads_back() -> None:
    rows: list[tuple[tables.Cell, ...]] = [("王,秀英", -5), ("=x", None)]
    text = body(tables.as_csv("orders", ("name", "fen"), rows))
    assert text.startswith("\ufeff")
    read = list(csv.reader(io.StringIO(text.removeprefix("\ufeff"))))
    assert read == [["name", "fen"], ["王,秀英", "-5"], ["'=x", ""]]


def test_long_csv_comes_in_parts_and_complete() -> None:
    rows = [(f"row {i}", i) for i in range(20_000)]
    text = body(tables.as_csv("orders", ("name", "number"), rows))
    assert text.count("\r\n") == 20_001


@pytest.mark.parametrize("count", [0, 1, 3])
def test_json_is_a_list_of_objects(count: int) -> None:
    response = tables.as_json("orders", ("name", "number"), [("=x", i) for i in range(count)])
    assert json.loads(body(response)) == [{"name": "=x", "number": i} for i in range(count)]
    assert response.headers["content-disposition"] == 'attachment; filename="orders.json"'
