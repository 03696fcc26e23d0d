"""Files are read back by programs that are not ours."""

import csv
import io
import json
import subprocess
from pathlib import Path

import openpyxl
import pytest

from cloud.exports.sheets import BOM, csv_bytes, harmless, json_bytes, pdf_bytes, xlsx_bytes

COLUMNS = ("worker", "amount_fen")
ROWS = [("王师傅", -1_234), ("=1+1", 10**15), ("http://x", None)]


def test_csv_is_read_back_and_runs_nothing() -> None:
    text = csv_bytes(COLUMNS, ROWS).decode()
    assert text.startswith(BOM)
    assert list(csv.reader(io.StringIO(text[1:]))) == [
        ["worker", "amount_fen"],
        ["王师傅", "-1234"],
        ["'=1+1", "1000000000000000"],
        ["http://x", ""],
    ]


def test_json_keeps_types() -> None:
    assert json.loads(json_bytes(COLUMNS, ROWS))[0] == {"worker": "王师傅", "amount_fen": -1_234}


def test_a_workbook_is_read_back_exactly() -> None:
    book = openpyxl.load_workbook(io.BytesIO(xlsx_bytes("a/b: 对账单", COLUMNS, ROWS)))
    [sheet] = book.worksheets
    found = [tuple(cell.value for cell in row) for row in sheet.iter_rows()]
    assert found == [COLUMNS, ("王师傅", -1_234), ("=1+1", str(10**15)), ("http://x", None)]
    assert [sheet.cell(3, 1).data_type, sheet.cell(2, 2).data_type] == ["s", "n"]
    assert sheet.cell(4, 1).hyperlink is None


def test_a_print_shows_chinese(tmp_path: Path) -> None:
    path = tmp_path / "list.pdf"
    path.write_bytes(pdf_bytes("对账单 <1>", "数据截至 09:05", COLUMNS, ROWS))
    text = subprocess.run(["pdftotext", path, "-"], check=True, capture_output=True, text=True)
    assert {"对账单 <1>", "王师傅", "数据截至 09:05", "=1+1"} <= {
        line.strip() for line in text.stdout.splitlines()
    }
    fonts = subprocess.run(["pdffonts", path], check=True, capture_output=True, text=True)
    named = fonts.stdout.splitlines()[2:]
    assert any("CJK" in font or "WenQuanYi" in font for font in named)
    assert all(" yes " in font for font in named), "every font is embedded"


@pytest.mark.parametrize("text", ["=A1", " +1", "-2", "@x", "＝1"])
def test_text_that_looks_like_a_formula_is_made_harmless(text: str) -> None:
    assert harmless(text) == "'" + text
    assert harmless(-2) == -2
    assert harmless(None) == ""
