"""The whole of `duifu replay` on one screen: read, judge, store, book, read back."""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Connection, Engine

from agreed.limits import WALL_MS_MAX
from agreed.promises import Verdict
from agreed.words import say
from cloud import reads
from cloud.database.engine import reading
from cloud.database.views import Statement
from cloud.replay.cases import Cases
from cloud.replay.chain import Chain, origin_of
from cloud.replay.events import Event
from cloud.replay.files import LogFile, inspect_log
from cloud.replay.headquarters import Headquarters, is_bookable
from cloud.replay.judging import Counts, count
from cloud.replay.mapping import Mapping
from cloud.replay.passing import Passed, pass_over
from cloud.replay.reading import read_events
from cloud.replay.rejects import Rejects
from cloud.replay.statements import make_folder, write_statements
from cloud.replay.summary import Books, Pay, Summary

Begin = Callable[[str, int], Callable[[int], None]]
"""Begin to show a stage, by name and size; gives what is told how far it is."""


@dataclass(frozen=True, slots=True)
class Request:
    """What to replay.

    Attributes:
        mapping: what the columns mean.
        path: the log.
        rejects: where to list unreadable rows; None for nowhere.
        statements: folder for statements; None for none.
    """

    mapping: Mapping
    path: Path
    rejects: Path | None = None
    statements: Path | None = None


def check_log(request: Request, begin: Begin) -> Summary:
    """Read and judge a log; store nothing."""
    log = _inspect(request.path, begin)
    with Rejects(request.rejects) as rejects:
        passed = _pass(log, request.mapping, rejects, begin, lambda _: None)
    mapping = request.mapping
    counts = count(passed.cases.promises(), mapping.promise, mapping.time.bound)
    return _summary(passed, rejects, counts, None)


def replay_log(
    request: Request, engine: Engine, now_ms: Callable[[], int], begin: Begin
) -> Summary:
    """Lead a log through headquarters: nothing of it is stored before all of it was read."""
    log = _inspect(request.path, begin)
    if request.statements is not None:
        make_folder(request.statements)
    mapping = request.mapping
    origin = origin_of(mapping, log.digest)
    chain = Chain(origin, mapping.time.bound)
    blocks: list[bytes] = []

    def keep(block: bytes | None) -> None:
        if block is not None:
            blocks.append(block)

    with Rejects(request.rejects) as rejects:
        passed = _pass(log, mapping, rejects, begin, lambda event: keep(chain.add_event(event)))
    cases = passed.cases
    for promise in cases.promises():
        keep(chain.add_fact(promise))
    keep(chain.close())

    headquarters = Headquarters(engine, mapping, origin, now_ms)
    headquarters.refuse_strangers(cases.names())
    told = begin(say("Records"), len(blocks))
    records_new = headquarters.take_in(blocks, chain.last_sequence, told)
    headquarters.book(cases.promises(), begin(say("Orders and pay"), len(cases)))
    counts = _decided(headquarters, mapping, cases)
    with reading(engine) as connection:
        books = _books(connection, request, records_new)
    return _summary(passed, rejects, counts, books)


def _inspect(path: Path, begin: Begin) -> LogFile:
    return inspect_log(path, begin(say("Looking through the file"), 0))


def _pass(
    log: LogFile, mapping: Mapping, rejects: Rejects, begin: Begin, take: Callable[[Event], None]
) -> Passed:
    rows = read_events(log, mapping, begin(say("Reading"), log.size_bytes))
    return pass_over(rows, mapping, rejects, take)


def _decided(headquarters: Headquarters, mapping: Mapping, cases: Cases) -> dict[str, Counts]:
    decided = Counter(headquarters.verdicts(cases.promises()))
    unknown: Counter[str] = Counter()
    not_promised: Counter[str] = Counter()
    for made in cases.promises():
        if made.promised_at_ms is None:
            not_promised[made.rule.name] += 1
        elif not is_bookable(made):
            unknown[made.rule.name] += 1
    return {
        rule.name: Counts(
            kept=decided[rule.name, Verdict.KEPT],
            late=decided[rule.name, Verdict.LATE],
            missed=decided[rule.name, Verdict.MISSED],
            undecidable=decided[rule.name, Verdict.UNDECIDABLE],
            open=decided[rule.name, Verdict.OPEN] + unknown[rule.name],
            not_promised=not_promised[rule.name],
        )
        for rule in mapping.promise
    }


def _books(connection: Connection, request: Request, records_new: int) -> Books:
    company, site = request.mapping.company, request.mapping.site
    workers = reads.workers(connection, company, site=site)
    pays: list[Pay] = []

    def statements() -> Iterator[Statement]:
        for worker in workers:
            found = reads.statement(connection, company, worker.worker, 0, WALL_MS_MAX + 1)
            pays.append(Pay(found.worker, len(found.lines), found.earned_fen, found.held_fen))
            yield found

    if request.statements is not None:
        write_statements(request.statements, statements())
    else:
        for _statement in statements():
            pass
    checked = reads.ledger_check(connection, company)
    return Books(
        records_new=records_new,
        commission_fen=sum(worker.balance_fen for worker in workers),
        held_fen=sum(pay.held_fen for pay in pays),
        is_balanced=checked.is_balanced,
        is_chain_verified=checked.is_chain_verified,
        pays=pays,
    )


def _summary(
    passed: Passed, rejects: Rejects, counts: dict[str, Counts], books: Books | None
) -> Summary:
    return Summary(
        rows_read=passed.rows_read,
        rows_unreadable=rejects.count,
        unreadable=rejects.shown,
        cases=len(passed.cases),
        promises=counts,
        books=books,
    )
