"""What lists of money hold, column by column; the same for every file form and page."""

from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime, timedelta, timezone
from typing import Final

from cloud.database.month_statements import MonthStatement, Moved
from cloud.database.views import AccountView, LineView, TransferView
from cloud.exports.sheets import Cell, csv_bytes, json_bytes, pdf_bytes, xlsx_bytes
from cloud.office.settling import Run, RunRow
from cloud.settlement.running import PAYABLE

Row = tuple[Cell, ...]

FORMS: Final = ("csv", "xlsx", "pdf", "json")
MEDIA: Final = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "pdf": "application/pdf",
    "json": "application/json",
}

RUN_COLUMNS: Final = (
    "site", "period", "run", "status", "plan", "prepared_by", "approved_by", "payable_fen", "hash",
)  # fmt: skip
RUN_LINE_COLUMNS: Final = ("payee", "rule", "amount_fen", "formula")
PAYROLL_COLUMNS: Final = (
    "period", "site", "payee", "kind", "opening_fen", "earned_fen", "deducted_fen", "payable_fen",
    "carried_forward_fen", "run", "hash",
)  # fmt: skip
STATEMENT_COLUMNS: Final = (
    "account", "period", "section", "at", "transfer", "kind", "order", "node", "revision",
    "amount_fen", "pack", "pack_version", "promised_at", "actual_at", "bound_ms", "score_bp",
    "rate_fen", "formula", "box", "epoch", "sequence", "block_hash", "other_account",
    "clock_said", "corrected_to",
)  # fmt: skip
ACCOUNT_COLUMNS: Final = ("site", "account", "kind", "debits_fen", "credits_fen", "balance_fen")
TRANSFER_COLUMNS: Final = (
    "site", "transfer", "kind", "debit", "credit", "amount_fen", "at", "recorded_at", "order",
    "key",
)  # fmt: skip


def written(form: str, title: str, said: str, columns: Sequence[str], rows: Iterable[Row]) -> bytes:
    """Write a list in one of `FORMS`."""
    if form == "csv":
        return csv_bytes(columns, rows)
    if form == "xlsx":
        return xlsx_bytes(title, columns, rows)
    if form == "pdf":
        return pdf_bytes(title, said, columns, rows)
    assert form == "json"
    return json_bytes(columns, rows)


def run_rows(runs: Iterable[RunRow]) -> list[Row]:
    """List runs."""
    return [
        (r.site, r.period, r.run, r.status, r.plan, r.prepared_by, r.approved_by, r.payable_fen,
         r.hash)
        for r in runs
    ]  # fmt: skip


def run_line_rows(run: Run) -> list[Row]:
    """List a run's lines."""
    return [(line.payee, line.rule, line.amount_fen, line.formula) for line in run.lines]


def payroll_rows(run: Run) -> list[Row]:
    """List what payroll pays: a row for each payee that has something to get or owes."""
    found: dict[str, dict[str, int]] = {}
    carried: dict[str, int] = {}
    for line in run.lines:
        sums = found.setdefault(line.payee, {})
        sums[line.rule] = line.amount_fen
        carried[line.payee] = line.inputs.get("carried_forward_fen", carried.get(line.payee, 0))
    return [
        (
            run.period,
            run.site,
            payee.partition(":")[2],
            payee.partition(":")[0],
            sums.get("opening", 0),
            sums[PAYABLE] - sums.get("opening", 0) - sums.get("deduction", 0),
            -sums.get("deduction", 0),
            sums[PAYABLE],
            carried[payee],
            run.run,
            run.hash,
        )
        for payee, sums in found.items()
        if PAYABLE in sums and (sums[PAYABLE] or carried[payee])
    ]


def statement_rows(statement: MonthStatement, stamp: Callable[[int], str]) -> list[Row]:
    """List a statement: opening, lines, adjustments, what waits, payable, paid, closing."""

    def row(section: str, fen: int, **more: Cell) -> Row:
        known: dict[str, Cell] = {
            "account": statement.account,
            "period": statement.period,
            "section": section,
            "amount_fen": fen,
        }
        values = known | more
        return tuple(values.get(column) for column in STATEMENT_COLUMNS)

    ends = ("payable", statement.payable_fen), ("paid", statement.paid_fen)
    owed = [("owed_carried_forward", statement.owed_fen)] if statement.owed_fen else []
    return [
        row("opening", statement.opening_fen),
        *(
            row(
                "adjustment" if moved.is_adjustment else "line",
                moved.amount_fen,
                **_why(moved.line, stamp),
                **_transfer(moved, stamp),
            )
            for moved in statement.moved
        ),
        *(
            row(
                line.status,
                line.amount_fen,
                **_why(line, stamp),
                at=stamp(line.at_ms),
                kind=line.kind,
                order=line.order_id,
                formula=line.reason.formula,
            )
            for line in statement.waiting
        ),
        *(
            row(
                "piece",
                piece.amount_fen,
                at=stamp(piece.at_ms),
                order=piece.order_id,
                node=piece.node,
                pack=piece.pack,
                pack_version=piece.pack_version,
                formula=piece.formula,
            )
            for piece in statement.pieces
        ),
        *(
            row("stake", moved.amount_fen, **_transfer(moved, stamp))
            for stake in statement.stakes
            for moved in stake.moved
        ),
        *(row(section, fen) for section, fen in (*ends, ("closing", statement.closing_fen), *owed)),
    ]


def _transfer(moved: Moved, stamp: Callable[[int], str]) -> dict[str, Cell]:
    return {
        "at": stamp(moved.at_ms),
        "transfer": moved.transfer,
        "kind": moved.kind,
        "order": moved.order_id or None,
        "formula": moved.formula or None,
        "other_account": moved.other,
    }


def _why(line: LineView | None, stamp: Callable[[int], str]) -> dict[str, Cell]:
    if line is None:
        return {}
    why, proof = line.reason, line.reason.evidence
    evidence: dict[str, Cell] = {} if proof is None else dict(proof)
    if line.correction is not None:
        evidence["clock_said"] = stamp(line.correction.claimed_at_ms)
        if line.correction.bound_ms is not None:
            evidence["corrected_to"] = stamp(line.correction.corrected_at_ms)
    return evidence | {
        "node": why.node,
        "revision": why.revision,
        "pack": why.pack,
        "pack_version": why.pack_version,
        "promised_at": stamp(why.promised_at_ms),
        "actual_at": None if why.actual_at_ms is None else stamp(why.actual_at_ms),
        "bound_ms": why.bound_ms,
        "score_bp": why.score_bp,
        "rate_fen": why.rate_fen,
    }


def local_stamp(utc_offset_minutes: int) -> Callable[[int], str]:
    """Give a function that writes ms since the epoch as local time, exactly."""
    zone = timezone(timedelta(minutes=utc_offset_minutes))

    def stamp(at_ms: int) -> str:
        moment = datetime.fromtimestamp(at_ms // 1000, UTC).astimezone(zone)
        exact = moment.replace(microsecond=at_ms % 1000 * 1000)
        return exact.isoformat(sep=" ", timespec="milliseconds")

    return stamp


def account_rows(accounts: Iterable[AccountView]) -> list[Row]:
    """List accounts."""
    return [
        (a.site, a.account, a.kind, a.debits_fen, a.credits_fen, a.balance_fen) for a in accounts
    ]


def transfer_rows(transfers: Iterable[TransferView], stamp: Callable[[int], str]) -> list[Row]:
    """List transfers."""
    return [
        (t.site, t.transfer, t.kind, t.debit, t.credit, t.amount_fen, stamp(t.at_ms),
         stamp(t.recorded_at_ms), t.order_id, t.key)
        for t in transfers
    ]  # fmt: skip
