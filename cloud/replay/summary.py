"""What a replay came to, for the eye and for a program."""

from dataclasses import dataclass
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from agreed.money import yuan
from agreed.words import say
from cloud.replay.judging import Counts
from cloud.replay.rows import Unreadable


@dataclass(frozen=True, slots=True)
class Pay:
    """One resource's statement in one line.

    Attributes:
        lines: of the statement.
        earned_fen: posted.
        held_fen: earned, but the pool is short.
    """

    worker: str
    lines: int
    earned_fen: int
    held_fen: int


@dataclass(frozen=True, slots=True)
class Books:
    """What headquarters holds after the replay.

    Attributes:
        records_new: records that were not there before; 0 when the log was replayed before.
        commission_fen: on the commission accounts of the site.
        held_fen: earned, but the pool is short.
        is_balanced, is_chain_verified: headquarters' own check of its books and chains.
        pays: one per resource.
    """

    records_new: int
    commission_fen: int
    held_fen: int
    is_balanced: bool
    is_chain_verified: bool
    pays: list[Pay]


@dataclass(frozen=True, slots=True)
class Summary:
    """A whole replay.

    Attributes:
        rows_read: rows that became events.
        rows_unreadable: all others.
        unreadable: the first of them.
        cases: with at least one readable row.
        promises: by name.
        books: None when nothing was stored.
        duration_ms: how long it took.
    """

    rows_read: int
    rows_unreadable: int
    unreadable: list[Unreadable]
    cases: int
    promises: dict[str, Counts]
    books: Books | None
    duration_ms: int = 0


def as_json(summary: Summary) -> dict[str, Any]:
    """Give the stable keys of docs/replay.md."""
    books = summary.books
    return {
        "rows_read": summary.rows_read,
        "rows_unreadable": summary.rows_unreadable,
        "cases": summary.cases,
        "promises": {
            name: {
                "judged": counts.judged,
                "kept": counts.kept,
                "late": counts.late,
                "missed": counts.missed,
                "undecidable": counts.undecidable,
                "open": counts.open,
                "not_promised": counts.not_promised,
            }
            for name, counts in summary.promises.items()
        },
        "records_new": books.records_new if books else None,
        "commission_fen": books.commission_fen if books else None,
        "held_fen": books.held_fen if books else None,
        "ledger_balanced": books.is_balanced if books else None,
        "chain_verified": books.is_chain_verified if books else None,
        "duration_ms": summary.duration_ms,
    }


def as_tables(summary: Summary) -> RenderableType:
    """Draw the summary for a terminal."""
    parts: list[RenderableType] = [_rows(summary), _promises(summary)]
    if summary.unreadable:
        parts.append(_unreadable(summary))
    if summary.books is not None:
        parts += [_pays(summary.books), _verdict_on(summary.books)]
    return Group(*parts)


def _rows(summary: Summary) -> Text:
    return Text(
        say(
            "{rows} rows read, {unreadable} unreadable, {cases} cases, {seconds} s",
            rows=f"{summary.rows_read:,}",
            unreadable=f"{summary.rows_unreadable:,}",
            cases=f"{summary.cases:,}",
            seconds=f"{summary.duration_ms // 1000}.{summary.duration_ms % 1000 // 100}",
        )
    )


def _promises(summary: Summary) -> Table:
    table = Table(title=say("Promises"), title_justify="left", box=SIMPLE_HEAD, pad_edge=False)
    table.add_column(say("Promise"), no_wrap=True)
    for title in (
        say("judged"),
        say("kept"),
        say("late"),
        say("missed"),
        say("undecidable"),
        say("cannot be judged"),
        say("nothing promised"),
    ):
        table.add_column(title, justify="right")
    for name, c in summary.promises.items():
        counts = (c.judged, c.kept, c.late, c.missed, c.undecidable, c.open, c.not_promised)
        table.add_row(Text(name), *(f"{count:,}" for count in counts))
    return table


def _unreadable(summary: Summary) -> RenderableType:
    title = say("Rows that could not be read")
    table = Table(title=title, title_justify="left", box=SIMPLE_HEAD, pad_edge=False)
    table.add_column(say("Line"), justify="right")
    table.add_column(say("Reason"), overflow="fold")
    for row in summary.unreadable:
        table.add_row(str(row.line), Text(row.reason))
    left = summary.rows_unreadable - len(summary.unreadable)
    if not left:
        return table
    more = say("and {count} more: --rejects FILE lists all", count=left)
    return Group(table, Text(more))


def _pays(books: Books) -> Table:
    table = Table(title=say("Statements"), title_justify="left", box=SIMPLE_HEAD, pad_edge=False)
    table.add_column(say("Resource"), overflow="fold")
    table.add_column(say("Entries"), justify="right")
    table.add_column(say("Earned, yuan"), justify="right")
    table.add_column(say("Held, yuan"), justify="right")
    for pay in books.pays:
        table.add_row(Text(pay.worker), f"{pay.lines:,}", yuan(pay.earned_fen), yuan(pay.held_fen))
    return table


def _verdict_on(books: Books) -> Text:
    is_sound = books.is_balanced and books.is_chain_verified
    text = say(
        "{records} new records, commission {commission} yuan, ledger {ledger}, chain {chain}",
        records=f"{books.records_new:,}",
        commission=yuan(books.commission_fen),
        ledger=say("balanced") if books.is_balanced else say("NOT BALANCED"),
        chain=say("verified") if books.is_chain_verified else say("NOT VERIFIED"),
    )
    return Text(text, style="green" if is_sound else "bold red")
