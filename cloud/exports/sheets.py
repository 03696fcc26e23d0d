"""Lists as files for people: CSV that spreadsheets open without harm, XLSX, JSON, PDF."""

import csv
import io
import json
from collections.abc import Iterable, Sequence
from html import escape
from typing import Any, Final

import xlsxwriter

Cell = str | int | None
Rows = Iterable[Sequence[Cell]]

BOM: Final = "\ufeff"
_FORMULA_STARTS: Final = ("=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠")
_EXACT_MAX: Final = 10**15
"""A spreadsheet keeps 15 digits; longer numbers are written as text."""

_STYLE: Final = """
@page { size: A4 landscape; margin: 14mm;
  @bottom-right { content: counter(page) " / " counter(pages); font-size: 8pt } }
body { font: 8pt "Noto Sans CJK SC", "Noto Serif CJK SC", "WenQuanYi Micro Hei", sans-serif }
h1 { font-size: 13pt; margin: 0 0 2mm } p { margin: 0 0 3mm; color: #444 }
table { border-collapse: collapse; width: 100% } thead { display: table-header-group }
th, td { border-bottom: .2mm solid #999; padding: .8mm 1mm; text-align: left; vertical-align: top;
  overflow-wrap: anywhere }
td.number { text-align: right; white-space: nowrap }
"""


def harmless(cell: Cell) -> Cell:
    """Keep a spreadsheet from running text as a formula; numbers stay numbers."""
    if isinstance(cell, str) and cell.lstrip(" ").startswith(_FORMULA_STARTS):
        return "'" + cell
    return "" if cell is None else cell


def csv_bytes(columns: Sequence[str], rows: Rows) -> bytes:
    """Write rows as CSV: UTF-8 with a BOM, so that spreadsheets read Chinese unasked."""
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    writer.writerow(columns)
    writer.writerows([harmless(cell) for cell in row] for row in rows)
    return (BOM + buffer.getvalue()).encode()


def json_bytes(columns: Sequence[str], rows: Rows) -> bytes:
    """Write rows as a JSON list of objects; keys are the columns."""
    found = [dict(zip(columns, row, strict=True)) for row in rows]
    return json.dumps(found, ensure_ascii=False, indent=1).encode()


def xlsx_bytes(title: str, columns: Sequence[str], rows: Rows) -> bytes:
    """Write rows as a workbook of one sheet; text is never a formula, a link or a number."""
    buffer = io.BytesIO()
    options: dict[str, Any] = {
        "in_memory": True,
        "strings_to_formulas": False,
        "strings_to_urls": False,
        "strings_to_numbers": False,
    }
    with xlsxwriter.Workbook(buffer, options) as book:
        sheet = book.add_worksheet(_sheet_name(title))
        head = book.add_format({"bold": True, "bottom": 1})
        sheet.freeze_panes(1, 0)
        for column, word in enumerate(columns):
            sheet.write_string(0, column, word, head)
        for number, row in enumerate(rows, start=1):
            for column, cell in enumerate(row):
                if isinstance(cell, int) and abs(cell) < _EXACT_MAX:
                    sheet.write_number(number, column, cell)
                elif cell is not None:
                    sheet.write_string(number, column, str(cell))
    return buffer.getvalue()


def pdf_bytes(title: str, said: str, columns: Sequence[str], rows: Rows) -> bytes:
    """Print rows as PDF on A4, with a sentence under the title."""
    # Imported here: it loads fonts and takes a second, and most processes never print.
    from weasyprint import HTML  # noqa: PLC0415

    def cell_html(cell: Cell) -> str:
        kind = ' class="number"' if isinstance(cell, int) else ""
        return f"<td{kind}>{'' if cell is None else escape(str(cell))}</td>"

    head = "".join(f"<th>{escape(word)}</th>" for word in columns)
    body = "".join(f"<tr>{''.join(map(cell_html, row))}</tr>" for row in rows)
    page = (
        f'<html lang="zh"><head><title>{escape(title)}</title><style>{_STYLE}</style></head><body>'
        f"<h1>{escape(title)}</h1><p>{escape(said)}</p>"
        f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></body></html>"
    )
    printed: bytes = HTML(string=page, url_fetcher=_fetch_nothing).write_pdf()
    return printed


def _fetch_nothing(url: str, *_more: Any, **_named: Any) -> Any:
    raise ValueError(f"{url}: a list needs nothing from elsewhere")


def _sheet_name(title: str) -> str:
    return "".join("-" if letter in r"[]:*?/\ "[:-1] else letter for letter in title)[:31] or "-"
