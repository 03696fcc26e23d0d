"""The finance clerk's shell: `duifu cloud statement …`, and every file of a month."""

import re
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Annotated, Final

import typer
from rich.table import Table

from agreed.money import yuan
from agreed.words import RemedyError, say
from cloud import reads
from cloud.database import read_journal
from cloud.database.engine import reading
from cloud.database.fleet import Place
from cloud.database.month_statements import (
    DisputeView,
    MonthStatement,
    Moved,
    month_statement,
    payees,
)
from cloud.database.views import Statement
from cloud.exports import listing
from cloud.office.disputing import DecisionRequest, DisputeRequest, decide_dispute, open_dispute
from cloud.office.run_words import empty_word, rule_word, stake_word, why
from cloud.office.settling import find_run
from cloud.settlement.journal_text import journal
from cloud.shell import (
    DEFAULT_DATA,
    AsJson,
    Data,
    House,
    Period,
    Site,
    Token,
    Worker,
    opened,
    out,
    print_json,
    requested,
    talk,
)

statement_app = typer.Typer(
    no_args_is_help=True, help=say("Statements: show, month, export, dispute, decide.")
)
_UNSAFE: Final = re.compile(r"[^A-Za-z0-9.-]")

Account = Annotated[
    str, typer.Argument(help=say("Account: commission:WORKER, supplier:NAME or pool."))
]
Into = Annotated[Path, typer.Option("--into", help=say("Folder to write into."))]
Form = Annotated[list[str], typer.Option("--form", help=say("csv, xlsx, pdf or json; repeat."))]


@statement_app.command("show", help=say("Show what moved a worker's pay, line by line."))
def statement_show(
    worker: Worker,
    data: Data = DEFAULT_DATA,
    *,
    as_json: AsJson = False,
) -> None:
    """Show one worker's whole statement."""
    with opened(data) as house, reading(house.engine) as connection:
        found = reads.statement(connection, house.company, worker, 0, 2**62)
    if as_json:
        print_json(Statement, found)
        return
    table = Table(say("Order"), say("Node"), say("Verdict"), say("Yuan"), say("How"))
    for line in found.lines:
        verdict = say(line.verdict.name.lower())
        row = (line.order_id, line.node, verdict, yuan(line.amount_fen), line.reason.formula)
        table.add_row(*row)
    out.print(table)
    out.print(say("Earned {yuan} yuan", yuan=yuan(found.earned_fen)))
    if found.emptiness is not None:
        out.print(_why_empty(found))


@statement_app.command("month", help=say("Show one payee's month: opening to closing."))
def statement_of_month(
    account: Account,
    period: Period,
    data: Data = DEFAULT_DATA,
    site: Site = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Show one payee's month."""
    with opened(data) as house, reading(house.engine) as connection:
        place = house.place(site)
        found = month_statement(connection, place, account, period)
    if as_json:
        print_json(MonthStatement, found)
        return
    table = Table(say("Transfer"), say("Order"), say("Kind"), say("Yuan"), say("How"))
    table.add_row("", "", say("opening"), yuan(found.opening_fen), "")
    for moved in found.moved:
        table.add_row(*_row(moved))
    for word, fen in (
        (say("payable"), found.payable_fen),
        (say("paid"), found.paid_fen),
        (say("closing"), found.closing_fen),
    ):
        table.add_row("", "", word, yuan(fen), "", style="bold")
    out.print(table)
    _print_details(found)


@statement_app.command(
    "export", help=say("Write every file of a month: run, payroll, statements, journal.")
)
def statement_export(
    period: Period,
    into: Into,
    data: Data = DEFAULT_DATA,
    site: Site = None,
    form: Form = ["xlsx"],  # noqa: B006  # typer reads it, nobody changes it
) -> None:
    """Write every file of a month."""
    unknown = [one for one in form if one not in listing.FORMS]
    if unknown:
        raise RemedyError(
            say("--form {form}: use csv, xlsx, pdf or json.", form=", ".join(unknown))
        )
    with opened(data) as house:
        written = 0
        try:
            into.mkdir(parents=True, exist_ok=True)
            for name, content in _files(house, house.place(site), period, form):
                (into / name).write_bytes(content)
                written += 1
        except OSError as error:
            raise RemedyError(
                say(
                    "{file} cannot be written: {problem}; check path and permissions.",
                    file=into,
                    problem=error.strerror or error,
                )
            ) from None
    talk.print(say("{count} files in {folder}", count=written, folder=into), markup=False)


@statement_app.command("dispute", help=say("Dispute a line of a worker's statement."))
def statement_dispute(  # noqa: PLR0913, PLR0917  # options of a command line
    worker: Worker,
    period: Period,
    line: Annotated[str, typer.Argument(help=say("ORDER/NODE/REVISION, or rule:NAME."))],
    claim: Annotated[str, typer.Option(help=say("What should be right."))],
    data: Data = DEFAULT_DATA,
    site: Site = None,
    token: Token = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Note that a line is disputed."""
    with opened(data) as house:
        place = house.place(site)
        who = house.acting(token)
        request = requested(DisputeRequest, worker=worker, period=period, line=line, claim=claim)
        found = open_dispute(house.engine, place, request, who, house.now_ms)
    _told(found, as_json=as_json)


@statement_app.command("decide", help=say("Decide a dispute; what is granted is posted."))
def statement_decide(  # noqa: PLR0913
    dispute: Annotated[int, typer.Argument(help=say("Number of the dispute."))],
    decision: Annotated[str, typer.Option(help=say("Why, for the statement."))],
    data: Data = DEFAULT_DATA,
    site: Site = None,
    token: Token = None,
    grant_fen: Annotated[int, typer.Option(min=0, help=say("Granted, in fen; 0 refuses."))] = 0,
    *,
    as_json: AsJson = False,
) -> None:
    """Decide a dispute."""
    with opened(data) as house:
        place = house.place(site)
        who = house.acting(token)
        request = requested(DecisionRequest, amount_fen=grant_fen, decision=decision)
        now_ms = house.now_ms
        found = decide_dispute(house.engine, place, dispute, request, who, now_ms)
    _told(found, as_json=as_json)


def _why_empty(found: Statement) -> str:
    assert found.emptiness is not None
    code, count = found.emptiness.code, found.emptiness.promises
    if code == "unknown_worker":
        return say("Empty: nobody here knows worker {worker}.", worker=found.worker)
    if code == "no_promises":
        return say("Empty: no promise of this worker falls into this time.")
    if code == "all_open":
        return say("Empty: {count} promises are open, none is decided yet.", count=count)
    return say("Empty: {count} promises, but none of their nodes pays.", count=count)


def _print_details(found: MonthStatement) -> None:
    if found.emptiness is not None:
        out.print(empty_word(found.emptiness), markup=False)
    if found.plan:
        out.print(say("Plan: {plan}", plan=found.plan), markup=False)
    for rule in found.rules:
        how = " · ".join(filter(None, (rule.formula, why(rule))))
        out.print(f"· {rule_word(rule.rule)}: {yuan(rule.amount_fen)} · {how}", markup=False)
    _print_pieces_and_stakes(found)
    for line in found.waiting:
        how = line.reason.formula
        out.print(f"· {line.order_id} {line.node}: {line.status} · {how}", markup=False)
    if found.owed_fen:
        carried = yuan(found.owed_fen)
        out.print(
            say("{amount} yuan taken back of closed months are carried forward", amount=carried)
        )


def _print_pieces_and_stakes(found: MonthStatement) -> None:
    for piece in found.pieces:
        what = f"{piece.order_id} {piece.node}: {yuan(piece.amount_fen)} · {piece.formula}"
        out.print(f"  {what}", markup=False)
    for stake in found.stakes:
        held = say(
            "stake of {wager} in escrow: {opening} yuan before, {closing} yuan after",
            wager=stake.wager,
            opening=yuan(stake.opening_fen),
            closing=yuan(stake.closing_fen),
        )
        out.print(f"· {held}", markup=False)
        for moved in stake.moved:
            word = stake_word(moved.amount_fen, moved.other)
            out.print(f"  {word}: {yuan(moved.amount_fen)}", markup=False)


def _told(found: DisputeView, *, as_json: bool) -> None:
    if as_json:
        print_json(DisputeView, found)
    else:
        out.print(
            say(
                "Dispute {number} of {line}: {status}, {yuan} yuan",
                number=found.dispute,
                line=found.line,
                status=found.status,
                yuan=yuan(found.amount_fen),
            ),
            markup=False,
        )
    following = f"duifu cloud statement month commission:{found.worker} {found.period}"
    if found.status == "open":
        following = f"duifu cloud statement decide {found.dispute} --token TOKEN"
    talk.print(say("next: {command}", command=following), markup=False)


def _row(moved: Moved) -> tuple[str, ...]:
    return str(moved.transfer), moved.order_id, moved.kind, yuan(moved.amount_fen), moved.formula


def _files(
    house: House, place: Place, period: str, forms: list[str]
) -> Iterator[tuple[str, bytes]]:
    with reading(house.engine) as connection:
        view = reads.company(connection, house.company)
        offset = view.utc_offset_minutes if view is not None else 480
        stamp = listing.local_stamp(offset)
        run = find_run(connection, place, period)
        lists = [
            (f"run-{period}", run.hash, listing.RUN_LINE_COLUMNS, listing.run_line_rows(run)),
            (f"payroll-{period}", run.hash, listing.PAYROLL_COLUMNS, listing.payroll_rows(run)),
        ]
        for account in payees(connection, place, period):
            statement = month_statement(connection, place, account, period)
            rows = listing.statement_rows(statement, stamp)
            title = f"statement-{period}-{_safe(account)}"
            lists.append((title, statement.hash, listing.STATEMENT_COLUMNS, rows))
        text = "".join(journal(read_journal.entries(connection, *place), offset))
    for name, said, columns, rows in lists:
        for form in forms:
            yield f"{name}.{form}", listing.written(form, name, said, columns, rows)
    yield "journal.beancount", text.encode()


def _safe(account: str) -> str:
    plain = _UNSAFE.sub("-", account)
    is_plain = re.fullmatch(r"[a-z]+:[a-z0-9.-]+|pool", account) is not None
    return plain if is_plain else f"{plain}-{sha256(account.encode()).hexdigest()[:8]}"
