"""Rows to events: what happened, and what the row says of its case. Nothing is guessed."""

from collections.abc import Mapping as Table
from dataclasses import dataclass
from functools import lru_cache
from operator import itemgetter
from typing import Final

from agreed.records import RecordError, check_text
from agreed.words import RemedyError, say
from cloud.replay.mapping import DERIVED, RESERVED_STEPS, Mapping, PromiseRule
from cloud.replay.rows import Row, Unreadable
from cloud.replay.timestamps import TimeForm, TimeReadError, read_time_ms

_DELIMITERS: Final = (",", ";", "\t", "|")
_CACHE_TEXTS: Final = 1 << 16


@dataclass(frozen=True, slots=True)
class Said:
    """What one row says about one promise of its case; None where it says nothing.

    Attributes:
        promised_ms: ms since the epoch.
        actual_ms: ms since the epoch, from the fact's column.
        paid: from the column of who is paid.
    """

    promised_ms: int | None = None
    actual_ms: int | None = None
    paid: str | None = None


@dataclass(frozen=True, slots=True)
class Event:
    """One readable row.

    Attributes:
        line: where it stands in the file.
        case, step, actor: texts that a record can carry; actor "" if unknown.
        at_ms: ms since the epoch.
        said: one per promise of the mapping, in its order.
    """

    line: int
    case: str
    step: str
    actor: str
    at_ms: int
    said: tuple[Said, ...]


class EventReader:
    """Turn rows under one header into events."""

    def __init__(self, header: Row, mapping: Mapping) -> None:
        """Find the mapping's columns.

        Raises:
            RemedyError: a column is missing, or stands twice.
        """
        names = [name.strip() for name in header.cells]
        self._width = len(names)
        self._mapping = mapping
        self._missing = {"", *mapping.file.missing}
        self._form: TimeForm = mapping.time.form
        self._places = {name: _place(name, names, mapping) for name in _columns(mapping)}
        columns = mapping.columns
        self._case = self._places[columns.case]
        self._step = self._places[columns.step]
        self._actor = self._places[columns.actor]
        self._time = self._places[columns.time]
        # What a row says of its case is what the row before said, most of the time.
        said_of = [self._places[name] for name in _said_columns(mapping)]
        self._said_cells = itemgetter(*said_of)
        self._is_step_said = any(rule.rows_of is not None for rule in mapping.promise)
        self._said_before: tuple[object, tuple[Said, ...]] = (None, ())

    def read(self, row: Row) -> Event | Unreadable:
        """Read one row; an unreadable one says why, with the column's name."""
        try:
            return self._event(row)
        except _CellError as error:
            return Unreadable(row.line, str(error), self._case_of(row))

    def _event(self, row: Row) -> Event:
        cells = row.cells
        if len(cells) != self._width:
            raise _CellError(
                say("has {count} cells, the header {width}", count=len(cells), width=self._width)
            )
        columns = self._mapping.columns
        step = self._text(cells[self._step], columns.step)
        if step in self._mapping.rename:
            step = self._mapping.rename[step]
        if step in RESERVED_STEPS or step.startswith(DERIVED):
            raise _CellError(say("{column}: {step} is reserved", column=columns.step, step=step))
        return Event(
            row.line,
            self._text(cells[self._case], columns.case),
            self._checked(step, columns.step),
            self._checked(self._known(cells[self._actor]) or "", columns.actor),
            self._time_ms(self._text(cells[self._time], columns.time), columns.time),
            self._all_said(cells, step),
        )

    def _all_said(self, cells: list[str], step: str) -> tuple[Said, ...]:
        key = (self._said_cells(cells), step if self._is_step_said else "")
        before, said = self._said_before
        if key != before:
            said = tuple(self._said(rule, cells, step) for rule in self._mapping.promise)
            self._said_before = key, said
        return said

    def _said(self, rule: PromiseRule, cells: list[str], step: str) -> Said:
        if rule.rows_of is not None and step != rule.rows_of:
            return _SILENT
        paid = self._value(rule.paid.column, cells) if rule.paid else None
        return Said(
            self._value_ms(rule.promised, cells),
            self._value_ms(rule.actual.column, cells),
            None if paid is None or rule.paid is None else self._checked(paid, rule.paid.column),
        )

    def _value(self, column: str | None, cells: list[str]) -> str | None:
        return None if column is None else self._known(cells[self._places[column]])

    def _value_ms(self, column: str | None, cells: list[str]) -> int | None:
        text = self._value(column, cells)
        return None if text is None or column is None else self._time_ms(text, column)

    def _known(self, cell: str) -> str | None:
        bare = cell.strip()
        return None if bare in self._missing else bare

    def _text(self, cell: str, column: str) -> str:
        text = self._known(cell)
        if text is None:
            raise _CellError(say("{column}: is empty", column=column))
        return self._checked(text, column) if column == self._mapping.columns.case else text

    @staticmethod
    def _checked(text: str, column: str | None) -> str:
        problem = _text_problem(text, str(column))
        if problem is not None:
            raise _CellError(problem)
        return text

    def _time_ms(self, text: str, column: str) -> int:
        try:
            return read_time_ms(text, self._form)
        except TimeReadError as error:
            shown = text if len(text) <= 40 else text[:40] + "…"
            raise _CellError(
                say("{column}: “{text}” {problem}", column=column, text=shown, problem=error)
            ) from None

    def _case_of(self, row: Row) -> str | None:
        return self._known(row.cells[self._case]) if self._case < len(row.cells) else None


class _CellError(ValueError):
    """A cell, or the number of cells, makes the row unreadable."""


_SILENT = Said()


@lru_cache(maxsize=_CACHE_TEXTS)
def _text_problem(text: str, column: str) -> str | None:
    try:
        check_text(column, text)
    except RecordError as error:
        return str(error)
    return None


def _columns(mapping: Mapping) -> list[str]:
    columns = mapping.columns
    own = [columns.case, columns.step, columns.actor, columns.time]
    return list(dict.fromkeys([*own, *_said_columns(mapping)]))


def _said_columns(mapping: Mapping) -> list[str]:
    named: list[str | None] = []
    for rule in mapping.promise:
        named += [rule.promised, rule.actual.column, rule.paid.column if rule.paid else None]
    return list(dict.fromkeys(name for name in named if name is not None))


def _place(name: str, header: list[str], mapping: Mapping) -> int:
    if header.count(name) > 1:
        raise RemedyError(say("The header has the column {column} twice: rename one.", column=name))
    if name in header:
        return header.index(name)
    if len(header) == 1 and (better := _likely_delimiter(header[0], mapping.file.delimiter)):
        raise RemedyError(
            say(
                "The header is a single column: say file.delimiter = “{better}” in the mapping.",
                better="\\t" if better == "\t" else better,
            )
        )
    raise RemedyError(
        say(
            "The log has no column {column}: name one of its header in the mapping: {header}.",
            column=name,
            header=", ".join(header)[:500],
        )
    )


def _likely_delimiter(header: str, used: str) -> str | None:
    counts: Table[str, int] = {d: header.count(d) for d in _DELIMITERS if d != used}
    best = max(counts, key=lambda d: counts[d])
    return best if counts[best] else None
