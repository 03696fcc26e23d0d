"""Lines of a CSV file to rows; a line that is no row is named and the rest goes on."""

import csv
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from agreed.words import RemedyError, say
from cloud.replay.mapping import FileForm

LINE_BYTES_MAX: Final = 64 * 1024
ROW_LINES_MAX: Final = 100
"""A quoted cell may hold line breaks; a quote never closed may not swallow the file."""

_BYTE_ORDER_MARK: Final = "\ufeff"
_UTF16_MARKS: Final = (b"\xff\xfe", b"\xfe\xff")


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a file.

    Attributes:
        number: from 1.
        data: with its line end; empty when cut.
        size_bytes: in the file.
        is_cut: it was longer than LINE_BYTES_MAX.
    """

    number: int
    data: bytes
    size_bytes: int
    is_cut: bool = False


@dataclass(frozen=True, slots=True)
class Row:
    """The cells of one row; `line` is where it begins."""

    line: int
    cells: list[str]


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A row that cannot be read, and why; `case` is whose it seems to be."""

    line: int
    reason: str
    case: str | None = None


class _LineError(Exception):
    """The line at hand ends the row at hand; the message says why."""


def split_rows(lines: Iterable[Line], form: FileForm) -> Iterator[Row | Unreadable]:
    """Split lines into rows, in order, the header included; blank lines are passed over.

    Raises:
        RemedyError: a line is not UTF-8 and the mapping names no encoding.
    """
    feed = _Feed(lines, form)
    reader = csv.reader(feed, delimiter=form.delimiter, strict=True)
    while True:
        feed.begin_row()
        try:
            cells = next(reader)
        except StopIteration:
            return
        except (_LineError, csv.Error) as error:
            why = str(error) if isinstance(error, _LineError) else _said(error)
            yield Unreadable(feed.row_line, why)
            feed.give_back()
            reader = csv.reader(feed, delimiter=form.delimiter, strict=True)
            continue
        if any(cell.strip() for cell in cells):
            yield Row(feed.row_line, cells)


class _Feed:
    """Hand lines to the CSV reader, and take back those of a row that failed."""

    def __init__(self, lines: Iterable[Line], form: FileForm) -> None:
        self._lines = iter(lines)
        self._form = form
        self._waiting: deque[Line] = deque()
        self._taken: list[Line] = []

    @property
    def row_line(self) -> int:
        return self._taken[0].number

    def begin_row(self) -> None:
        self._taken = []

    def give_back(self) -> None:
        self._waiting.extendleft(reversed(self._taken[1:]))

    def __iter__(self) -> "_Feed":
        return self

    def __next__(self) -> str:
        if len(self._taken) >= ROW_LINES_MAX:
            raise _LineError(say("opens a quote that is not closed"))
        line = self._waiting.popleft() if self._waiting else next(self._lines)
        self._taken.append(line)
        if line.is_cut:
            raise _LineError(say("is longer than {most} bytes", most=LINE_BYTES_MAX))
        return self._text(line)

    def _text(self, line: Line) -> str:
        try:
            text = line.data.decode(self._form.encoding or "utf-8")
        except UnicodeDecodeError:
            if line.number == 1 and line.data.startswith(_UTF16_MARKS):
                raise RemedyError(say("The log is UTF-16: save it as UTF-8.")) from None
            if self._form.encoding is None:
                raise RemedyError(
                    say(
                        "Line {line} is not UTF-8: say file.encoding in the mapping, "
                        "for example “gb18030”.",
                        line=line.number,
                    )
                ) from None
            raise _LineError(say("is not {encoding}", encoding=self._form.encoding)) from None
        return text.removeprefix(_BYTE_ORDER_MARK) if line.number == 1 else text


def _said(error: csv.Error) -> str:
    if "unexpected end of data" in str(error):
        return say("opens a quote that is not closed")
    return say("is not valid CSV: {problem}", problem=error)
