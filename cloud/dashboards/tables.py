"""Lists as files: CSV that spreadsheets open without harm, and JSON."""

import csv
import io
import json
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from fastapi.responses import StreamingResponse

Cell = str | int | None

BOM: Final = "\ufeff"
_FORMULA_STARTS: Final = ("=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠")
_FLUSH_CHARACTERS: Final = 64 * 1024


def as_csv(name: str, columns: Sequence[str], rows: Iterable[Sequence[Cell]]) -> StreamingResponse:
    """Answer with rows as CSV: UTF-8 with BOM, text that looks like a formula made harmless."""
    return _download(name + ".csv", "text/csv; charset=utf-8", _csv_parts(columns, rows))


def as_json(name: str, columns: Sequence[str], rows: Iterable[Sequence[Cell]]) -> StreamingResponse:
    """Answer with rows as a JSON list of objects; keys are the columns."""
    return _download(name + ".json", "application/json", _json_parts(columns, rows))


def harmless(cell: Cell) -> Cell:
    """Keep a spreadsheet from running text as a formula; numbers stay numbers."""
    if isinstance(cell, str) and cell.lstrip(" ").startswith(_FORMULA_STARTS):
        return "'" + cell
    return "" if cell is None else cell


def _csv_parts(columns: Sequence[str], rows: Iterable[Sequence[Cell]]) -> Iterator[str]:
    buffer = io.StringIO()
    buffer.write(BOM)
    writer = csv.writer(buffer)
    writer.writerow(columns)
    for row in rows:
        writer.writerow([harmless(cell) for cell in row])
        if buffer.tell() > _FLUSH_CHARACTERS:
            yield buffer.getvalue()
            buffer.seek(0)
            buffer.truncate()
    yield buffer.getvalue()


def _json_parts(columns: Sequence[str], rows: Iterable[Sequence[Cell]]) -> Iterator[str]:
    before = "["
    for row in rows:
        values = dict(zip(columns, row, strict=True))
        yield before + "\n" + json.dumps(values, ensure_ascii=False)
        before = ","
    yield "[]\n" if before == "[" else "\n]\n"


def _download(name: str, media_type: str, parts: Iterator[str]) -> StreamingResponse:
    headers = {
        "Content-Disposition": f'attachment; filename="{name}"',
        "X-Content-Type-Options": "nosniff",
        "Cache-Control": "no-store",
    }
    return StreamingResponse(parts, media_type=media_type, headers=headers)
