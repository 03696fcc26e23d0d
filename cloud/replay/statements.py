"""Statements as files: one CSV per resource, each line with its reason, and one of totals."""

import csv
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import date
from hashlib import sha256
from pathlib import Path
from typing import Final

from agreed.words import RemedyError, say
from cloud.database.views import LineView, Statement

COLUMNS: Final = (
    "order",
    "promise",
    "verdict",
    "promised_at",
    "actual_at",
    "deviation_ms",
    "score_bp",
    "rate_fen",
    "amount_fen",
    "kind",
    "status",
    "transfer",
    "formula",
    "box",
    "epoch",
    "sequence",
    "block_hash",
)
TOTAL_COLUMNS: Final = ("resource", "lines", "earned_fen", "held_fen", "file")
TOTALS: Final = "totals.csv"
_EPOCH_DAY: Final = date(1970, 1, 1).toordinal()
_UNSAFE: Final = re.compile(r"[^\w.-]")
_FORMULA_STARTS: Final = ("=", "+", "-", "@", "\t", "\r")


def make_folder(folder: Path) -> None:
    """Make the folder, so that a replay does not end where it cannot write.

    Raises:
        RemedyError: it cannot be made.
    """
    with _remedied(folder):
        folder.mkdir(parents=True, exist_ok=True)


def write_statements(folder: Path, statements: Iterable[Statement]) -> None:
    """Write every statement and the totals into a folder; files of the same names are replaced.

    Raises:
        RemedyError: the folder cannot be written.
    """
    with _remedied(folder):
        totals = []
        for statement in statements:
            name = file_name(statement.worker)
            _write(folder / name, COLUMNS, map(_row, statement.lines))
            totals.append(
                (
                    _plain(statement.worker),
                    len(statement.lines),
                    statement.earned_fen,
                    statement.held_fen,
                    name,
                )
            )
        _write(folder / TOTALS, TOTAL_COLUMNS, totals)


def file_name(worker: str) -> str:
    """Name a resource's file; two resources never share one, also where case does not count."""
    safe = _UNSAFE.sub("_", worker)
    if safe != worker or safe != safe.lower():
        safe = f"{safe}-{sha256(worker.encode()).hexdigest()[:8]}"
    return f"statement-{safe}.csv"


def iso(at_ms: int | None) -> str:
    """Write ms since the epoch as UTC, exactly; "" for None."""
    if at_ms is None:
        return ""
    days, within_ms = divmod(at_ms, 86_400_000)
    seconds, ms = divmod(within_ms, 1_000)
    day = date.fromordinal(_EPOCH_DAY + days).isoformat()
    return f"{day}T{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}.{ms:03d}Z"


@contextmanager
def _remedied(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise RemedyError(
            say(
                "{file} cannot be written: {problem}; check path and permissions.",
                file=folder,
                problem=error.strerror or error,
            )
        ) from None


def _row(line: LineView) -> tuple[object, ...]:
    reason, proof = line.reason, line.reason.evidence
    return (
        _plain(line.order_id),
        _plain(line.node),
        reason.verdict,
        iso(reason.promised_at_ms),
        iso(reason.actual_at_ms),
        reason.deviation_ms,
        reason.score_bp,
        reason.rate_fen,
        line.amount_fen,
        line.kind,
        line.status,
        line.transfer,
        _plain(reason.formula),
        *((proof.box, proof.epoch, proof.sequence, proof.block_hash) if proof else ("",) * 4),
    )


def _plain(text: str) -> str:
    # A spreadsheet would run it as a formula.
    return f"'{text}" if text.startswith(_FORMULA_STARTS) else text


def _write(path: Path, header: tuple[str, ...], rows: Iterable[tuple[object, ...]]) -> None:
    # With the mark, spreadsheets read Chinese without being asked.
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(header)
        writer.writerows(rows)
