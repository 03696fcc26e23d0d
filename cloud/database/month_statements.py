"""Reads the statement of one payee for one month: opening + lines + adjustments = payable."""

from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, Row, func, or_, select

from cloud.database import run_books, schema
from cloud.database.fleet import Place, at
from cloud.database.plan_books import plan_of_name
from cloud.database.read_emptiness import why_empty
from cloud.database.read_pieces import PieceView, read_pieces
from cloud.database.read_statements import line_view, with_corrections
from cloud.database.read_wagers import signed_wagers
from cloud.database.views import LineView
from cloud.settlement.running import PAYEES, RunLine
from cloud.settlement.wagers import Side
from cloud.settlement.waterfall import escrow

_LINES: Final = frozenset({"commission", "waterfall", "income", "funding"})
WORKER: Final = "commission:"


@dataclass(frozen=True, slots=True)
class Moved:
    """One transfer as the payee sees it.

    Attributes:
        amount_fen: signed, > 0 into the account.
        is_adjustment: it corrects, claims, deducts or adds; else it is a line of the month itself.
        other: the account at the other end.
        formula: of the run's line that it follows; "" for none.
        line: the fulfilment behind it; None for none.
    """

    transfer: int
    key: str
    kind: str
    amount_fen: int
    is_adjustment: bool
    other: str
    at_ms: int
    recorded_at_ms: int
    order_id: str
    formula: str
    line: LineView | None


@dataclass(frozen=True, slots=True)
class StakeView:
    """What a senior manager has in escrow for a wager; it is no pay and in no sum of pay.

    Attributes:
        opening_fen, closing_fen: in escrow before the month and after it.
        moved: put in, lost, given back; amounts as the escrow sees them.
    """

    wager: str
    name_zh: str
    name_en: str
    opening_fen: int
    closing_fen: int
    moved: list[Moved]


@dataclass(frozen=True, slots=True)
class DisputeView:
    """A disputed line and what became of it; fields as in `schema.disputes`."""

    dispute: int
    site: str
    worker: str
    period: str
    line: str
    claim: str
    opened_by: str
    opened_at_ms: int
    status: str
    amount_fen: int
    decided_by: str | None
    decided_at_ms: int | None
    decision: str


@dataclass(frozen=True, slots=True)
class MonthStatement:
    """A payee's month: opening + lines + adjustments = payable; payable - paid = closing.

    Attributes:
        account: whose it is: a worker's or manager's commission, a supplier, the site's pool.
        moved: what is in the books, in the order of posting.
        waiting: earned but not posted, or nothing: each says why.
        owed_fen: taken back of closed months and carried forward to later deductions.
        run, hash, status: of the month's run; 0 and "" while there is none.
        emptiness: why nothing moved, see `read_emptiness.why_empty`; None when something did.
        plan: key and version of the plan that the run follows; "" for none.
        rules: what the run says of this account, the zeros with their reasons; see `Run`.
        pieces: what the plan of the run pays this worker node by node, by what is known now.
        stakes: of wagers of this worker that had or moved something in the month.
    """

    site: str
    account: str
    name: str
    period: str
    opening_fen: int
    lines_fen: int
    adjustments_fen: int
    payable_fen: int
    paid_fen: int
    closing_fen: int
    owed_fen: int
    moved: list[Moved]
    waiting: list[LineView]
    disputes: list[DisputeView]
    run: int
    hash: str
    status: str
    emptiness: str | None
    plan: str
    rules: list[RunLine]
    pieces: list[PieceView]
    stakes: list[StakeView]


def month_statement(
    connection: Connection, place: Place, account: str, period: str
) -> MonthStatement:
    """Read one payee's month."""
    worker = account.removeprefix(WORKER) if account.startswith(WORKER) else None
    lines = _lines(connection, place, worker, period) if worker is not None else []
    drawn, run = _run(connection, place, period)
    formulas = {f"run/{period}/{line.payee}/{line.rule}": line.formula for line in drawn}
    rows = _rows(connection, place, account, period)
    in_month = [row for row in rows if row.period == period and row.kind != "payout"]
    posted = {line.transfer: line for line in lines if line.transfer is not None}
    moved = [_moved(row, account, posted, formulas) for row in in_month]
    balance_fen = _balance(connection, place, account)
    since_fen = sum(_signed(row, account) for row in rows)
    opening_fen = (balance_fen or 0) - since_fen
    paid_fen = -sum(_signed(r, account) for r in rows if r.kind == "payout" and r.period == period)
    lines_fen = sum(m.amount_fen for m in moved if not m.is_adjustment)
    adjustments_fen = sum(m.amount_fen for m in moved if m.is_adjustment)
    payable_fen = opening_fen + lines_fen + adjustments_fen
    waiting = [line for line in lines if line.transfer is None]
    return MonthStatement(
        site=place.site,
        account=account,
        name=_name(connection, place, worker) if worker is not None else account,
        period=period,
        opening_fen=opening_fen,
        lines_fen=lines_fen,
        adjustments_fen=adjustments_fen,
        payable_fen=payable_fen,
        paid_fen=paid_fen,
        closing_fen=payable_fen - paid_fen,
        owed_fen=_owed(connection, place, worker) if worker is not None else 0,
        moved=moved,
        waiting=waiting,
        disputes=disputes(connection, place, worker, period) if worker is not None else [],
        run=run.run if run is not None else 0,
        hash=run.hash if run is not None else "",
        status=run.status if run is not None else "",
        emptiness=None
        if moved
        else why_empty(
            connection, place, worker, period, waiting, is_known=balance_fen is not None
        ),
        plan=run.plan if run is not None else "",
        rules=[line for line in drawn if line.payee == account],
        pieces=_pieces(connection, place, period, run.plan, worker)
        if run is not None and run.plan and worker is not None
        else [],
        stakes=_stakes(connection, place, worker, period) if worker is not None else [],
    )


def payees(connection: Connection, place: Place, period: str) -> list[str]:
    """List the accounts that a month has a statement for: everybody who is or was paid."""
    accounts, workers = schema.accounts, schema.workers
    query = select(accounts.c.account).where(
        at(accounts, place), accounts.c.kind.in_((*PAYEES, "pool"))
    )
    known = set(connection.execute(query).scalars())
    named = select(workers.c.worker).where(at(workers, place))
    known |= {WORKER + worker for worker in connection.execute(named).scalars()}
    assert period
    return sorted(known)


def disputes(
    connection: Connection, place: Place, worker: str | None, period: str | None
) -> list[DisputeView]:
    """List disputes of a site, or of one worker's month, the newest first."""
    table = schema.disputes
    query = select(table).where(at(table, place))
    if worker is not None:
        query = query.where(table.c.worker == worker)
    if period is not None:
        query = query.where(table.c.period == period)
    names = list(DisputeView.__slots__)
    return [
        DisputeView(**{name: getattr(row, name) for name in names})
        for row in connection.execute(query.order_by(table.c.dispute.desc()))
    ]


def _rows(connection: Connection, place: Place, account: str, period: str) -> list[Row[Any]]:
    transfers = schema.transfers
    query = select(transfers).where(
        at(transfers, place),
        or_(transfers.c.debit == account, transfers.c.credit == account),
        transfers.c.period >= period,
    )
    return list(connection.execute(query.order_by(transfers.c.transfer)))


def _pieces(
    connection: Connection, place: Place, period: str, plan: str, worker: str
) -> list[PieceView]:
    followed = plan_of_name(connection, place, plan)
    return read_pieces(connection, place, period, followed, worker)


def _stakes(connection: Connection, place: Place, worker: str, period: str) -> list[StakeView]:
    """Read the escrows of a senior manager; who has no wager has none."""
    found = []
    for wager in signed_wagers(connection, place).values():
        account = escrow(wager.key, Side.SENIOR).name
        balance_fen = _balance(connection, place, account)
        if wager.senior != worker or balance_fen is None:
            continue
        rows = _rows(connection, place, account, period)
        opening_fen = balance_fen - sum(_signed(row, account) for row in rows)
        moved = [_moved(row, account, {}, {}) for row in rows if row.period == period]
        closing_fen = opening_fen + sum(m.amount_fen for m in moved)
        if moved or opening_fen:
            names = wager.key, wager.name_zh, wager.name_en
            found.append(StakeView(*names, opening_fen, closing_fen, moved))
    return found


def _signed(row: Row[Any], account: str) -> int:
    fen: int = row.amount_fen
    return fen if row.credit == account else -fen


def _moved(
    row: Row[Any], account: str, posted: dict[int, LineView], formulas: dict[str, str]
) -> Moved:
    line = posted.get(row.transfer)
    leg = formulas.get(row.key.rpartition("/")[0], "")
    return Moved(
        transfer=row.transfer,
        key=row.key,
        kind=row.kind,
        amount_fen=_signed(row, account),
        is_adjustment=row.kind not in _LINES or (account == "pool" and row.kind == "commission"),
        other=row.debit if row.credit == account else row.credit,
        at_ms=row.at_ms,
        recorded_at_ms=row.recorded_at_ms,
        order_id=row.order_id,
        formula=line.reason.formula if line else formulas.get(row.key, leg),
        line=line,
    )


def _lines(connection: Connection, place: Place, worker: str, period: str) -> list[LineView]:
    lines = schema.lines
    query = select(lines).where(
        at(lines, place), lines.c.worker == worker, lines.c.period == period
    )
    ordered = query.order_by(
        lines.c.at_ms, lines.c.order_id, lines.c.node, lines.c.revision, lines.c.kind.desc()
    )
    found = [line_view(row) for row in connection.execute(ordered)]
    return with_corrections(connection, place.company, found)


def _run(
    connection: Connection, place: Place, period: str
) -> tuple[list[RunLine], Row[Any] | None]:
    run = run_books.find_run(connection, place, period)
    if run is None:
        return [], None
    return run_books.lines_of_run(connection, place, period, run.run), run


def _balance(connection: Connection, place: Place, account: str) -> int | None:
    accounts = schema.accounts
    query = select(accounts.c.credits_fen - accounts.c.debits_fen).where(
        at(accounts, place), accounts.c.account == account
    )
    return connection.execute(query).scalar_one_or_none()


def _owed(connection: Connection, place: Place, worker: str) -> int:
    return -(_balance(connection, place, f"receivable:{worker}") or 0)


def _name(connection: Connection, place: Place, worker: str) -> str:
    workers = schema.workers
    query = select(workers.c.name).where(at(workers, place), workers.c.worker == worker)
    found: str | None = connection.execute(query).scalar_one_or_none()
    return found or worker


def count_lines(connection: Connection, place: Place, period: str) -> int:
    """Count the statement lines of a month."""
    lines = schema.lines
    query = select(func.count()).where(at(lines, place), lines.c.period == period)
    return connection.execute(query).scalar_one()
