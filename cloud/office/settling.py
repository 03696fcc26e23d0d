"""Leads a month's run from preview to payout; each step is one transaction and done once."""

from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import Connection, Engine, Row

from agreed.money import yuan
from agreed.words import say
from cloud.database import books, run_books
from cloud.database.engine import writing
from cloud.database.fleet import Place
from cloud.database.month_sums import forget
from cloud.office.people import Duty, Person
from cloud.office.planned import plan_additions
from cloud.office.refusals import ConflictError, InvalidError, UnknownError
from cloud.office.run_words import status_word
from cloud.office.sites import hold_site
from cloud.settlement.periods import Calendar, is_period, span_ms
from cloud.settlement.running import (
    UNFUNDED,
    Planned,
    RunLine,
    paid_account,
    payable_fen,
    payouts,
    postings,
    run_hash,
    run_lines,
    unfunded,
)
from cloud.settlement.waterfall import POOL, Account, Move

PREVIEWED = "previewed"
REVIEWED = "reviewed"
APPROVED = "approved"
POSTED = "posted"
PAID = "paid"
DISCARDED = "discarded"

PlannedOf = Callable[[Connection, Place, str], Planned]
"""Gives the plan in force for a month and what it adds, from the store."""


@dataclass(frozen=True, slots=True)
class RunAct:
    """What was done with a run, by whom, ms."""

    status: str
    who: str
    at_ms: int
    note: str


@dataclass(frozen=True, slots=True)
class Run:
    """A run as it stands.

    Attributes:
        status: previewed, reviewed, approved, posted, paid or discarded.
        hash: over the canonical lines; equal lines give an equal hash on every store.
        payable_fen: what it pays out.
        held_fen: what is earned and waits for the pool; 0 in a run that may be approved.
        covered_until_ms: headquarters knows everything of the site up to then.
        refusals: sentences: why it may not be approved; empty for nothing.
    """

    site: str
    period: str
    run: int
    status: str
    hash: str
    plan: str
    prepared_by: str
    approved_by: str | None
    payable_fen: int
    held_fen: int
    covered_until_ms: int
    refusals: list[str]
    lines: list[RunLine]
    acts: list[RunAct]


@dataclass(frozen=True, slots=True)
class _Drawn:
    """A run as the books would have it now."""

    plan: str
    lines: list[RunLine]
    moves: list[Move]
    hash: str


class Settling:
    """Runs of one site.

    Args:
        engine: the store.
        place: the site.
        planned_of: what a plan adds; by default that of the plan in force.
    """

    def __init__(
        self, engine: Engine, place: Place, planned_of: PlannedOf = plan_additions
    ) -> None:
        self._engine = engine
        self._place = place
        self._planned_of = planned_of

    def preview(self, period: str, who: Person, now_ms: int) -> Run:
        """Draw up a month; the same books give the same run, changed ones replace it.

        Raises:
            ForbiddenError: not a clerk.
            UnknownError: no such site.
            InvalidError: no month, or one that is not over.
            ConflictError: it is closed, or an earlier month is not.
        """
        who.must_be(Duty.CLERK)
        with writing(self._engine) as connection:
            hold_site(connection, self._place)
            self._check_month(connection, period, now_ms)
            drawn = self._draw(connection, period)
            live = run_books.find_run(connection, self._place, period)
            if live is not None and live.status != DISCARDED:
                if live.hash == drawn.hash:
                    return find_run(connection, self._place, period)
                note = say("the records changed since")
                run_books.advance_run(
                    connection, self._place, live, _act(DISCARDED, who, now_ms, note)
                )
            number = 1 if live is None else live.run + 1
            row = {
                "period": period,
                "run": number,
                "status": PREVIEWED,
                "hash": drawn.hash,
                "plan": drawn.plan,
                "prepared_by": who.user_id,
                "prepared_at_ms": now_ms,
            }
            run_books.add_run(connection, self._place, row, drawn.lines)
            act = _act(PREVIEWED, who, now_ms, "")
            run_books.add_act(connection, self._place, period, number, act)
            return find_run(connection, self._place, period)

    def review(self, period: str, who: Person, now_ms: int, note: str = "") -> Run:
        """Say that a clerk has looked at every line.

        Raises:
            ForbiddenError: not a clerk.
            ConflictError: it is not at that point, or the records changed since.
        """
        who.must_be(Duty.CLERK)
        return self._step(period, PREVIEWED, _act(REVIEWED, who, now_ms, note))

    def approve(self, period: str, who: Person, now_ms: int, note: str = "") -> Run:
        """Approve what somebody else prepared.

        Raises:
            ForbiddenError: not an approver.
            ConflictError: the same person prepared it, something waits for the pool, it is not
                at that point, or the records changed since.
        """
        who.must_be(Duty.APPROVER)

        def check(connection: Connection, run: Row[Any], drawn: _Drawn) -> None:
            if run.prepared_by == who.user_id:
                raise ConflictError(
                    "approved_by",
                    say(
                        "{name} prepared this run; a second person must approve it.", name=who.name
                    ),
                )
            self._check_funded(connection, period, drawn)

        return self._step(period, REVIEWED, _act(APPROVED, who, now_ms, note), check)

    def post(self, period: str, who: Person, now_ms: int) -> Run:
        """Post what the run adds and deducts, and close the month; again, it changes nothing.

        What is posted is drawn up from nothing: from records and verdicts, not from sums that
        earlier previews kept. It must meet the run's hash all the same; if it does not, those
        sums are forgotten.

        Raises:
            ForbiddenError: not a clerk.
            ConflictError: it is not approved, something is not funded, or the records changed.
        """
        who.must_be(Duty.CLERK)

        def check(connection: Connection, _run: Row[Any], drawn: _Drawn) -> None:
            self._check_funded(connection, period, drawn)
            books.post(connection, self._place, drawn.moves, now_ms, period=period)
            books.close_month(connection, self._place, period)

        try:
            return self._step(period, APPROVED, _act(POSTED, who, now_ms, ""), check)
        except ConflictError:
            with writing(self._engine) as connection:
                hold_site(connection, self._place)
                forget(connection, self._place)
            raise

    def pay(self, period: str, who: Person, now_ms: int) -> Run:
        """Pay out what was posted; again, it changes nothing.

        Raises:
            ForbiddenError: not a clerk.
            ConflictError: it is not posted.
        """
        who.must_be(Duty.CLERK)
        with writing(self._engine) as connection:
            hold_site(connection, self._place)
            run = self._run_at(connection, period, POSTED, PAID)
            if run.status == POSTED:
                lines = run_books.lines_of_run(connection, self._place, period, run.run)
                held_fen = self._held_fen(connection, map(paid_account, lines))
                moves = payouts(period, lines, now_ms, held_fen)
                books.post(connection, self._place, moves, now_ms, period=period)
                act = _act(PAID, who, now_ms, "")
                run_books.advance_run(connection, self._place, run, act)
            return find_run(connection, self._place, period)

    def discard(self, period: str, who: Person, now_ms: int, note: str) -> Run:
        """Give up a run that is not posted.

        Raises:
            ForbiddenError: neither clerk nor approver.
            ConflictError: it is posted.
        """
        who.must_be(Duty.CLERK, Duty.APPROVER)
        with writing(self._engine) as connection:
            hold_site(connection, self._place)
            run = self._run_at(connection, period, PREVIEWED, REVIEWED, APPROVED)
            act = _act(DISCARDED, who, now_ms, note)
            run_books.advance_run(connection, self._place, run, act)
            return find_run(connection, self._place, period)

    def show(self, connection: Connection, period: str) -> Run:
        """Read the newest run of a month.

        Raises:
            UnknownError: there is none.
        """
        return find_run(connection, self._place, period)

    def _step(
        self,
        period: str,
        wanted: str,
        act: dict[str, Any],
        check: Callable[[Connection, Row[Any], _Drawn], None] | None = None,
    ) -> Run:
        with writing(self._engine) as connection:
            hold_site(connection, self._place)
            run = self._run_at(connection, period, wanted, act["status"])
            if run.status == wanted:
                if wanted == APPROVED:
                    forget(connection, self._place)
                drawn = self._draw(connection, period)
                if drawn.hash != run.hash:
                    raise ConflictError(
                        "period",
                        say(
                            "The records of {period} changed since the preview; preview it again.",
                            period=period,
                        ),
                    )
                if check is not None:
                    check(connection, run, drawn)
                run_books.advance_run(connection, self._place, run, act)
            return find_run(connection, self._place, period)

    def _draw(self, connection: Connection, period: str) -> _Drawn:
        planned = self._planned_of(connection, self._place, period)
        found = run_books.months(connection, self._place, period)
        minimum_fen = run_books.minimum_wage_fen(connection, self._place.company)
        lines = run_lines(found, planned.extras, minimum_fen, planned.deduction_bp)
        months = books.calendar(connection, self._place)
        end_ms = span_ms(period, months.utc_offset_minutes)[1] - 1
        moves = postings(period, lines, planned.extras, end_ms)
        accounts = (account for move in moves for account in (move.debit, move.credit))
        lines += unfunded(moves, self._held_fen(connection, accounts))
        return _Drawn(planned.plan, lines, moves, run_hash(period, lines))

    def _held_fen(self, connection: Connection, accounts: Iterable[Account]) -> dict[Account, int]:
        return books.balances_fen(connection, self._place, set(accounts))

    def _check_month(self, connection: Connection, period: str, now_ms: int) -> None:
        if not is_period(period):
            raise InvalidError("period", say("{period} is no month; write 2026-03.", period=period))
        months = books.calendar(connection, self._place)
        _refuse_unfinished(period, months, now_ms)
        if months.is_closed(period):
            raise ConflictError("period", say("{period} is closed already.", period=period))
        earlier = run_books.unsettled_before(connection, self._place, period, months.closed_through)
        if earlier is not None:
            raise ConflictError(
                "period", say("{earlier} is not settled yet; settle it first.", earlier=earlier)
            )

    def _check_funded(self, connection: Connection, period: str, drawn: _Drawn) -> None:
        short_fen = run_books.held_fen(connection, self._place, period)
        held_fen = books.balance_fen(connection, self._place, POOL)
        if short_fen:
            raise ConflictError(
                "pool",
                say(
                    "{short} yuan are earned and wait for the pool, which holds {held} yuan; "
                    "fund the pool, then preview again.",
                    short=yuan(short_fen),
                    held=yuan(held_fen),
                ),
            )
        for line in drawn.lines:
            if line.rule == UNFUNDED:
                raise ConflictError(line.payee, _refusal(line))

    def _run_at(self, connection: Connection, period: str, *wanted: str) -> Row[Any]:
        run = run_books.find_run(connection, self._place, period)
        if run is None:
            raise UnknownError("period", say("There is no run of {period}.", period=period))
        if run.status not in wanted:
            raise ConflictError(
                "status",
                say(
                    "The run of {period} is {status}, not {wanted}.",
                    period=period,
                    status=status_word(run.status),
                    wanted=status_word(wanted[0]),
                ),
            )
        return run


def read_run(connection: Connection, row: Row[Any]) -> Run:
    """Read a run with its lines and acts."""
    place = Place(row.company, row.site)
    lines = run_books.lines_of_run(connection, place, row.period, row.run)
    acts = run_books.acts_of_run(connection, place, row.period, row.run)
    return Run(
        site=row.site,
        period=row.period,
        run=row.run,
        status=row.status,
        hash=row.hash,
        plan=row.plan,
        prepared_by=row.prepared_by,
        approved_by=row.approved_by,
        payable_fen=payable_fen(lines),
        held_fen=run_books.held_fen(connection, place, row.period),
        covered_until_ms=run_books.covered_until_ms(connection, place),
        refusals=[_refusal(line) for line in lines if line.rule == UNFUNDED],
        lines=lines,
        acts=[RunAct(a.status, a.who, a.at_ms, a.note) for a in acts],
    )


@dataclass(frozen=True, slots=True)
class RunRow:
    """A run in a list; fields as in `Run`."""

    site: str
    period: str
    run: int
    status: str
    plan: str
    prepared_by: str
    prepared_at_ms: int
    approved_by: str | None
    hash: str
    payable_fen: int


def list_runs(connection: Connection, company: str, site: str | None = None) -> list[RunRow]:
    """List runs, the newest month first."""
    return [
        RunRow(
            site=row.site,
            period=row.period,
            run=row.run,
            status=row.status,
            plan=row.plan,
            prepared_by=row.prepared_by,
            prepared_at_ms=row.prepared_at_ms,
            approved_by=row.approved_by,
            hash=row.hash,
            payable_fen=payable,
        )
        for row, payable in run_books.runs_with_payable(connection, company, site)
    ]


def find_run(connection: Connection, place: Place, period: str) -> Run:
    """Read the newest run of a month.

    Raises:
        UnknownError: there is none.
    """
    row = run_books.find_run(connection, place, period)
    if row is None:
        raise UnknownError("period", say("There is no run of {period}.", period=period))
    return read_run(connection, row)


@dataclass(frozen=True, slots=True)
class Step:
    """What leads a run on.

    Attributes:
        status: that it leads to.
        role: whose work it is.
        command: in the shell.
        address: where a program posts to, with a token of the person's own; "" for nowhere.
    """

    status: str
    role: Duty
    command: str
    address: str


def next_step(run: Run) -> Step:
    """Say who leads a run on, and with what."""
    verbs = {
        PREVIEWED: ("review", REVIEWED, Duty.CLERK),
        REVIEWED: ("approve", APPROVED, Duty.APPROVER),
        APPROVED: ("post", POSTED, Duty.CLERK),
        POSTED: ("pay", PAID, Duty.CLERK),
        DISCARDED: ("preview", PREVIEWED, Duty.CLERK),
    }
    if run.status not in verbs:
        command = f"statement export {run.period} --into FOLDER"
        return Step(PAID, Duty.CLERK, f"duifu cloud {command} --site {run.site}", "")
    verb, status, role = verbs[run.status]
    token = " --token TOKEN" if role is Duty.APPROVER else ""
    command = f"duifu cloud settle {verb} {run.period}{token} --site {run.site}"
    return Step(status, role, command, f"POST /api/v1/runs/{run.site}/{run.period}/{verb}")


def next_command(run: Run) -> str:
    """Name the command that leads a run on."""
    return next_step(run).command


def _refuse_unfinished(period: str, months: Calendar, now_ms: int) -> None:
    if span_ms(period, months.utc_offset_minutes)[1] > now_ms:
        raise InvalidError(
            "period", say("{period} is not over yet; settle it from the first.", period=period)
        )


def _act(status: str, who: Person, now_ms: int, note: str) -> dict[str, Any]:
    return asdict(RunAct(status, who.user_id, now_ms, note))


def _refusal(line: RunLine) -> str:
    return say(
        "{account} lacks {fen} yuan for what the plan pays ({formula}); fund it first.",
        account=line.payee,
        fen=yuan(line.inputs["missing_fen"]),
        formula=line.formula,
    )
