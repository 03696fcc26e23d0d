"""Reads what moved a worker's pay, line by line."""

from dataclasses import replace
from typing import Any, Final

from sqlalchemy import Connection, Select, and_, func, select

from agreed.promises import Verdict
from agreed.records import ClockState
from cloud.database import schema
from cloud.database.inbox import chunks
from cloud.database.read_fleet import to_counts
from cloud.database.views import CorrectionView, Counts, Emptiness, LineView, Statement, WorkerView
from cloud.settlement.reasons import Reason

COMMISSION: Final = "commission:"


def workers(connection: Connection, company: str, *, site: str | None = None) -> list[WorkerView]:
    """List the workers of all schema.sites, or of one, with their commission accounts."""
    account = and_(
        schema.accounts.c.company == schema.workers.c.company,
        schema.accounts.c.site == schema.workers.c.site,
        schema.accounts.c.account == COMMISSION + schema.workers.c.worker,
    )
    query = (
        select(
            schema.workers,
            (schema.accounts.c.credits_fen - schema.accounts.c.debits_fen).label("fen"),
        )
        .outerjoin(schema.accounts, account)
        .where(schema.workers.c.company == company)
        .order_by(schema.workers.c.site, schema.workers.c.worker)
    )
    if site is not None:
        query = query.where(schema.workers.c.site == site)
    return [WorkerView(r.site, r.worker, r.name, r.fen or 0) for r in connection.execute(query)]


def statement(
    connection: Connection, company: str, worker: str, from_ms: int, until_ms: int
) -> Statement:
    """Read one worker's statement over [from_ms, until_ms), all sites; it says why it is empty."""
    known = [w for w in workers(connection, company) if w.worker == worker]
    moved = _lines(connection, company, worker, from_ms, until_ms)
    counted = _promises(connection, company, worker, from_ms, until_ms)
    posted = [line for line in moved if line.status == "posted"]
    return Statement(
        company=company,
        worker=worker,
        name=known[0].name if known else worker,
        from_ms=from_ms,
        until_ms=until_ms,
        lines=moved,
        earned_fen=sum(line.amount_fen for line in posted),
        held_fen=sum(line.amount_fen for line in moved if line.status == "held"),
        paid_as_undecidable_fen=sum(
            line.amount_fen for line in posted if line.verdict is Verdict.UNDECIDABLE
        ),
        balance_fen=sum(w.balance_fen for w in known),
        promises=counted,
        emptiness=None
        if moved
        else _emptiness(connection, company, worker, is_known=bool(known), counted=counted),
    )


def line_view(row: Any) -> LineView:
    """Read one row of `lines`."""
    return LineView(
        site=row.site,
        worker=row.worker,
        order_id=row.order_id,
        node=row.node,
        revision=row.revision,
        kind=row.kind,
        status=row.status,
        verdict=Verdict(row.verdict),
        amount_fen=row.amount_fen,
        transfer=row.transfer,
        at_ms=row.at_ms,
        recorded_at_ms=row.recorded_at_ms,
        reason=Reason.model_validate(row.reason),
        period=row.period,
    )


def with_corrections(connection: Connection, company: str, lines: list[LineView]) -> list[LineView]:
    """Add to lines what became of the times that they were decided by."""
    known: dict[tuple[str, ...], CorrectionView] = {}
    proofs = {
        (line.site, why.box, bytes.fromhex(why.epoch), why.sequence)
        for line in lines
        if (why := line.reason.evidence) is not None
    }
    for site, box, epoch in sorted({proof[:3] for proof in proofs}):
        numbers = sorted(proof[3] for proof in proofs if proof[:3] == (site, box, epoch))
        for chunk in chunks(numbers):
            for row in connection.execute(_corrections(company, site, box, epoch, chunk)):
                state = ClockState(row.clock_state)
                bound_ms = None if state is ClockState.UNSET else row.bound_ms
                key = site, box, epoch.hex(), str(row.sequence)
                known[key] = CorrectionView(row.claimed_at_ms, row.wall_ms, bound_ms)
    return [replace(line, correction=known.get(_proof(line))) for line in lines]


def _proof(line: LineView) -> tuple[str, ...]:
    why = line.reason.evidence
    return () if why is None else (line.site, why.box, why.epoch, str(why.sequence))


def _corrections(
    company: str, site: str, box: str, epoch: bytes, sequences: list[int]
) -> Select[Any]:
    corrections, records = schema.corrections, schema.records
    key = ("company", "site", "box", "epoch", "sequence")
    same = and_(*(corrections.c[name] == records.c[name] for name in key))
    return (
        select(corrections, records.c.wall_ms.label("claimed_at_ms"))
        .join(records, same)
        .where(
            corrections.c.company == company,
            corrections.c.site == site,
            corrections.c.box == box,
            corrections.c.epoch == epoch,
            corrections.c.sequence.in_(sequences),
        )
    )


def _lines(
    connection: Connection, company: str, worker: str, from_ms: int, until_ms: int
) -> list[LineView]:
    table = schema.lines.c
    query = (
        select(schema.lines)
        .where(
            table.company == company,
            table.worker == worker,
            table.at_ms >= from_ms,
            table.at_ms < until_ms,
        )
        .order_by(
            table.at_ms, table.site, table.order_id, table.node, table.revision, table.kind.desc()
        )
    )
    found = [line_view(row) for row in connection.execute(query)]
    return with_corrections(connection, company, found)


def _promises(
    connection: Connection, company: str, worker: str, from_ms: int, until_ms: int
) -> Counts:
    rows = connection.execute(
        select(schema.promises.c.verdict, func.count())
        .where(
            schema.promises.c.company == company,
            schema.promises.c.worker == worker,
            schema.promises.c.promised_at_ms >= from_ms,
            schema.promises.c.promised_at_ms < until_ms,
            schema.promises.c.is_withdrawn.is_(False),
        )
        .group_by(schema.promises.c.verdict)
    )
    return to_counts({row[0]: row[1] for row in rows})


def _emptiness(
    connection: Connection, company: str, worker: str, *, is_known: bool, counted: Counts
) -> Emptiness:
    total = counted.open + counted.kept + counted.late + counted.missed + counted.undecidable
    covered = connection.execute(
        select(func.min(schema.sites.c.covered_until_ms))
        .join_from(
            schema.promises,
            schema.sites,
            and_(
                schema.sites.c.company == schema.promises.c.company,
                schema.sites.c.site == schema.promises.c.site,
            ),
        )
        .where(schema.promises.c.company == company, schema.promises.c.worker == worker)
    ).scalar_one()
    if not is_known and not total:
        code = "unknown_worker"
    elif not total:
        code = "no_promises"
    else:
        code = "all_open" if counted.open == total else "not_paid"
    return Emptiness(code, total, int(covered or 0))
