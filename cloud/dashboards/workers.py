"""Workers: what each earned in a period, and one worker's statement with every line's reason."""

from collections.abc import Iterable
from typing import Final

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, StreamingResponse

from agreed.words import say
from cloud import reads
from cloud.dashboards import queries, tables
from cloud.dashboards.desk import Desk, NotFoundError, Period, period
from cloud.dashboards.formats import exact, stamp
from cloud.dashboards.queries import Earner
from cloud.database.views import Emptiness, LineView, Statement

WORKER_COLUMNS: Final = (
    "worker",
    "name",
    "sites",
    "from",
    "until",
    "missed",
    "late",
    "undecidable",
    "open",
    "kept",
    "earned_fen",
    "held_fen",
)
LINE_COLUMNS: Final = (
    "site",
    "worker",
    "at",
    "order",
    "node",
    "revision",
    "kind",
    "status",
    "verdict",
    "score_bp",
    "rate_fen",
    "amount_fen",
    "transfer",
    "pack",
    "pack_version",
    "promised_at",
    "actual_at",
    "bound_ms",
    "box",
    "epoch",
    "sequence",
    "block_hash",
    "formula",
)


def routes(desk: Desk) -> APIRouter:
    """Serve the workers and their statements."""
    router = APIRouter(include_in_schema=False)

    @router.get("/workers")
    def listed(request: Request) -> HTMLResponse:
        with desk.reading() as connection:
            shown = period(request, desk)
            now_ms = desk.now_ms()
            return desk.page(
                request,
                "workers.html",
                as_of_ms=now_ms,
                period=shown,
                earners=_earners(desk, shown),
                site_names={s.site: s.name for s in reads.sites(connection, desk.company, now_ms)},
            )

    @router.get("/workers.csv")
    def as_csv(request: Request) -> StreamingResponse:
        return tables.as_csv("workers", WORKER_COLUMNS, _worker_rows(desk, request))

    @router.get("/workers.json")
    def as_json(request: Request) -> StreamingResponse:
        return tables.as_json("workers", WORKER_COLUMNS, _worker_rows(desk, request))

    @router.get("/workers/{worker:path}.csv")
    def lines_csv(request: Request, worker: str) -> StreamingResponse:
        return tables.as_csv("statement", LINE_COLUMNS, _line_rows(desk, request, worker))

    @router.get("/workers/{worker:path}.json")
    def lines_json(request: Request, worker: str) -> StreamingResponse:
        return tables.as_json("statement", LINE_COLUMNS, _line_rows(desk, request, worker))

    @router.get("/workers/{worker:path}")
    def one(request: Request, worker: str) -> HTMLResponse:
        return _statement_page(desk, request, worker)

    return router


def posted_fen(lines: Iterable[LineView], kind: str) -> int:
    """Sum the posted lines of a kind."""
    return sum(line.amount_fen for line in lines if line.kind == kind and line.status == "posted")


def empty_word(emptiness: Emptiness) -> str:
    """Say why a statement has no lines."""
    match emptiness.code:
        case "unknown_worker":
            return say("Nobody of this name has promised anything, at any site.")
        case "no_promises":
            return say("Nothing was promised by this worker in this period, so nothing is due.")
        case "all_open":
            return say(
                "{count} promised steps are not decided yet: the records of the site are known "
                "up to {time}. They are paid as soon as they are proven.",
                count=emptiness.promises,
                time=stamp(emptiness.covered_until_ms) if emptiness.covered_until_ms else "–",
            )
        case _:
            return say(
                "{count} promised steps were decided, but none of them carries a piece rate.",
                count=emptiness.promises,
            )


def _earners(desk: Desk, shown: Period) -> list[Earner]:
    with desk.reading() as connection:
        return queries.earners(connection, desk.company, shown.from_ms, shown.until_ms)


def _statement(desk: Desk, request: Request, worker: str) -> tuple[Statement, Period]:
    with desk.reading() as connection:
        shown = period(request, desk)
        found = reads.statement(connection, desk.company, worker, shown.from_ms, shown.until_ms)
    if found.emptiness and found.emptiness.code == "unknown_worker":
        raise NotFoundError(say("worker {name}", name=worker))
    return found, shown


def _statement_page(desk: Desk, request: Request, worker: str) -> HTMLResponse:
    found, shown = _statement(desk, request, worker)
    with desk.reading() as connection:
        opening_fen = queries.earned_before(connection, desk.company, worker, shown.from_ms)
    pay_fen, back_fen = posted_fen(found.lines, "pay"), posted_fen(found.lines, "reversal")
    return desk.page(
        request,
        "statement.html",
        as_of_ms=desk.now_ms(),
        period=shown,
        statement=found,
        opening_fen=opening_fen,
        pay_fen=pay_fen,
        back_fen=back_fen,
        payable_fen=opening_fen + pay_fen + back_fen,
        emptiness=empty_word(found.emptiness) if found.emptiness else "",
    )


def _worker_rows(desk: Desk, request: Request) -> list[tuple[tables.Cell, ...]]:
    with desk.reading():
        shown = period(request, desk)
    return [
        (
            earner.worker,
            earner.name,
            " ".join(earner.sites),
            shown.first,
            shown.last,
            earner.promises.missed,
            earner.promises.late,
            earner.promises.undecidable,
            earner.promises.open,
            earner.promises.kept,
            earner.earned_fen,
            earner.held_fen,
        )
        for earner in _earners(desk, shown)
    ]


def _line_rows(desk: Desk, request: Request, worker: str) -> list[tuple[tables.Cell, ...]]:
    found, _ = _statement(desk, request, worker)
    return [_cells(line) for line in found.lines]


def _cells(line: LineView) -> tuple[tables.Cell, ...]:
    reason = line.reason
    proof = reason.evidence
    return (
        line.site,
        line.worker,
        exact(line.at_ms),
        line.order_id,
        line.node,
        line.revision,
        line.kind,
        line.status,
        line.verdict.name.lower(),
        reason.score_bp,
        reason.rate_fen,
        line.amount_fen,
        line.transfer,
        reason.pack,
        reason.pack_version,
        exact(reason.promised_at_ms),
        None if reason.actual_at_ms is None else exact(reason.actual_at_ms),
        reason.bound_ms,
        proof.box if proof else None,
        proof.epoch if proof else None,
        proof.sequence if proof else None,
        proof.block_hash if proof else None,
        reason.formula,
    )
