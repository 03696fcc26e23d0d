"""Reads what a month holds, and keeps runs with their lines and acts."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, func, insert, select, update

from cloud.database import books, schema
from cloud.database.fleet import Place, at
from cloud.database.month_moves import Moved, read_moves
from cloud.settlement.running import PAYABLE, PAYEES, RULES, Month, RunLine
from cloud.settlement.waterfall import Account

LIVE = ("previewed", "reviewed", "approved", "posted", "paid")


@dataclass(slots=True)
class _Payee:
    account: Account
    opening_fen: int
    moved: dict[str, int]
    owed_fen: int = 0
    base_wage_fen: int = 0
    advanced_fen: int = 0

    def month(self) -> Month:
        return Month(
            self.account,
            self.opening_fen,
            self.moved,
            self.owed_fen,
            self.base_wage_fen,
            self.advanced_fen,
        )


def months(connection: Connection, place: Place, period: str) -> list[Month]:
    """Read what each payee has for a month; costs what moved since it was read last."""
    payees = {
        row.account: _Payee(Account(row.account, row.kind), row.fen, {})
        for row in _balances(connection, place, PAYEES)
    }
    owed = {
        row.account.partition(":")[2]: -row.fen
        for row in _balances(connection, place, ("receivable",))
    }
    advances = {
        row.account.partition(":")[2]: row.fen
        for row in _balances(connection, place, ("unrecovered",))
    }
    wages: dict[str, int] = {}
    for move, fen in read_moves(connection, place, period).items():
        name = move.account.partition(":")[2]
        if move.account_kind == "receivable" and move.is_later:
            owed[name] += fen
        elif move.account_kind == "wage" and not move.is_later:
            wages[name] = wages.get(name, 0) + fen
        elif move.account_kind in PAYEES:
            _count(payees[move.account], move, fen)
    for payee in payees.values():
        if payee.account.kind == "commission":
            name = payee.account.name.partition(":")[2]
            payee.owed_fen = owed.get(name, 0)
            payee.advanced_fen = advances.get(name, 0)
            payee.base_wage_fen = wages.get(name, 0)
    return [
        p.month() for p in payees.values() if p.opening_fen or p.owed_fen or any(p.moved.values())
    ]


def unsettled_before(connection: Connection, place: Place, period: str, closed: str) -> str | None:
    """Find a month before `period` in which payees moved and which no run has closed."""
    transfers = schema.transfers
    query = select(func.min(transfers.c.period)).where(
        at(transfers, place),
        transfers.c.period > closed,
        transfers.c.period < period,
        transfers.c.credit_kind.in_(PAYEES),
    )
    return connection.execute(query).scalar_one_or_none()


def held_fen(connection: Connection, place: Place, period: str) -> int:
    """Read what is earned up to a month and waits for the pool, fen."""
    lines = schema.lines
    query = select(func.coalesce(func.sum(lines.c.amount_fen), 0)).where(
        at(lines, place), books.IS_HELD, lines.c.period <= period
    )
    return int(connection.execute(query).scalar_one())


def find_run(connection: Connection, place: Place, period: str) -> Row[Any] | None:
    """Read the newest run of a month."""
    runs = schema.runs
    query = select(runs).where(at(runs, place), runs.c.period == period)
    return connection.execute(query.order_by(runs.c.run.desc()).limit(1)).one_or_none()


def list_runs(connection: Connection, company: str, site: str | None) -> list[Row[Any]]:
    """List runs, the newest month first."""
    runs = schema.runs
    query = select(runs).where(runs.c.company == company)
    if site is not None:
        query = query.where(runs.c.site == site)
    query = query.order_by(runs.c.period.desc(), runs.c.site, runs.c.run.desc())
    return list(connection.execute(query))


def runs_with_payable(
    connection: Connection, company: str, site: str | None
) -> list[tuple[Row[Any], int]]:
    """List runs with what each pays out, fen."""
    lines = schema.run_lines
    query = (
        select(lines.c.site, lines.c.period, lines.c.run, func.sum(lines.c.amount_fen).label("fen"))
        .where(lines.c.company == company, lines.c.rule == PAYABLE)
        .group_by(lines.c.site, lines.c.period, lines.c.run)
    )
    sums = {(r.site, r.period, r.run): int(r.fen) for r in connection.execute(query)}
    found = list_runs(connection, company, site)
    return [(row, sums.get((row.site, row.period, row.run), 0)) for row in found]


def add_run(
    connection: Connection, place: Place, row: dict[str, Any], found: list[RunLine]
) -> None:
    """Keep a run with its lines."""
    key = place._asdict() | {"period": row["period"], "run": row["run"]}
    connection.execute(insert(schema.runs), place._asdict() | row)
    columns = RunLine.__slots__
    rows = [
        key | {"position": i} | {name: getattr(line, name) for name in columns}
        for i, line in enumerate(found, start=1)
    ]
    if rows:
        connection.execute(insert(schema.run_lines), rows)


def lines_of_run(connection: Connection, place: Place, period: str, run: int) -> list[RunLine]:
    """Read a run's lines in canonical order."""
    lines = schema.run_lines
    query = select(lines).where(at(lines, place), lines.c.period == period, lines.c.run == run)
    return [
        RunLine(r.payee, r.rule, r.amount_fen, r.formula, r.inputs)
        for r in connection.execute(query.order_by(lines.c.position))
    ]


def acts_of_run(connection: Connection, place: Place, period: str, run: int) -> list[Row[Any]]:
    """Read what was done with a run, in order."""
    acts = schema.run_acts
    query = select(acts).where(at(acts, place), acts.c.period == period, acts.c.run == run)
    return list(connection.execute(query.order_by(acts.c.act)))


def advance_run(connection: Connection, place: Place, run: Row[Any], act: dict[str, Any]) -> None:
    """Move a run to its next status and note who did it."""
    runs = schema.runs
    values = {"status": act["status"]}
    if act["status"] == "approved":
        values["approved_by"] = act["who"]
    connection.execute(
        update(runs)
        .where(at(runs, place), runs.c.period == run.period, runs.c.run == run.run)
        .values(**values)
    )
    add_act(connection, place, run.period, run.run, act)


def add_act(
    connection: Connection, place: Place, period: str, run: int, act: dict[str, Any]
) -> None:
    """Note who did what with a run."""
    number = len(acts_of_run(connection, place, period, run)) + 1
    key = place._asdict() | {"period": period, "run": run, "act": number}
    connection.execute(insert(schema.run_acts), key | act)


def minimum_wage_fen(connection: Connection, company: str) -> int:
    """Read below what a month's pay must not fall by a deduction, fen."""
    companies = schema.companies
    query = select(companies.c.minimum_wage_fen).where(companies.c.company == company)
    return int(connection.execute(query).scalar_one())


def covered_until_ms(connection: Connection, place: Place) -> int:
    """Read until when everything at a site is known, ms."""
    query = select(schema.sites.c.covered_until_ms).where(at(schema.sites, place))
    return int(connection.execute(query).scalar_one())


def _balances(connection: Connection, place: Place, kinds: tuple[str, ...]) -> list[Row[Any]]:
    accounts = schema.accounts
    balance = (accounts.c.credits_fen - accounts.c.debits_fen).label("fen")
    query = select(accounts.c.account, accounts.c.kind, balance).where(
        at(accounts, place), accounts.c.kind.in_(kinds)
    )
    return list(connection.execute(query.order_by(accounts.c.account)))


def _count(payee: _Payee, move: Moved, fen: int) -> None:
    payee.opening_fen -= fen  # the balance of today less all since the month began
    if move.is_later or move.kind == "payout":
        return
    rule = RULES.get(move.kind, move.kind)
    payee.moved[rule] = payee.moved.get(rule, 0) + fen
