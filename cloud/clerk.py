"""The finance clerk's shell: `duifu cloud settle …`."""

import sys
from dataclasses import dataclass

import typer
from rich.table import Table

from agreed.money import yuan
from agreed.words import RemedyError, say
from cloud.database.engine import reading
from cloud.office.people import Person
from cloud.office.run_words import rule_word, status_word, why
from cloud.office.settling import (
    Run,
    RunRow,
    Settling,
    list_runs,
    next_command,
)
from cloud.settlement.running import PAYABLE
from cloud.shell import (
    DEFAULT_DATA,
    AsJson,
    Data,
    House,
    Note,
    Period,
    Site,
    Token,
    Yes,
    opened,
    out,
    print_json,
    talk,
)

settle_app = typer.Typer(
    no_args_is_help=True, help=say("Settle a month: preview, review, approve, post, pay.")
)


@dataclass(frozen=True, slots=True)
class _Desk:
    """One opened headquarters, one site, one person."""

    house: House
    settling: Settling
    who: Person

    @property
    def now_ms(self) -> int:
        return self.house.now_ms


def _desk(house: House, site: str | None, token: str | None) -> _Desk:
    return _Desk(house, Settling(house.engine, house.place(site)), house.acting(token))


@settle_app.command("preview", help=say("Draw up a month; nothing is posted."))
def settle_preview(
    period: Period,
    data: Data = DEFAULT_DATA,
    site: Site = None,
    token: Token = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Draw up a month."""
    with opened(data) as house:
        desk = _desk(house, site, token)
        _told(desk.settling.preview(period, desk.who, desk.now_ms), as_json=as_json)


@settle_app.command("review", help=say("Say that you have looked at every line."))
def settle_review(  # options of a command line
    period: Period,
    data: Data = DEFAULT_DATA,
    site: Site = None,
    token: Token = None,
    note: Note = "",
    *,
    as_json: AsJson = False,
) -> None:
    """Say that a clerk has looked."""
    with opened(data) as house:
        desk = _desk(house, site, token)
        _told(desk.settling.review(period, desk.who, desk.now_ms, note), as_json=as_json)


@settle_app.command("approve", help=say("Approve what somebody else prepared."))
def settle_approve(  # noqa: PLR0913
    period: Period,
    data: Data = DEFAULT_DATA,
    site: Site = None,
    token: Token = None,
    note: Note = "",
    *,
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """Approve a run."""
    with opened(data) as house:
        desk = _desk(house, site, token)
        _confirm(desk, period, say("Approve this run?"), yes=yes)
        _told(desk.settling.approve(period, desk.who, desk.now_ms, note), as_json=as_json)


@settle_app.command("post", help=say("Post an approved run and close its month."))
def settle_post(
    period: Period,
    data: Data = DEFAULT_DATA,
    site: Site = None,
    token: Token = None,
    *,
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """Post a run."""
    with opened(data) as house:
        desk = _desk(house, site, token)
        _confirm(desk, period, say("Post it and close {period}?", period=period), yes=yes)
        _told(desk.settling.post(period, desk.who, desk.now_ms), as_json=as_json)


@settle_app.command("pay", help=say("Pay out what was posted."))
def settle_pay(
    period: Period,
    data: Data = DEFAULT_DATA,
    site: Site = None,
    token: Token = None,
    *,
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """Pay out a run."""
    with opened(data) as house:
        desk = _desk(house, site, token)
        _confirm(desk, period, say("Pay it out?"), yes=yes)
        _told(desk.settling.pay(period, desk.who, desk.now_ms), as_json=as_json)


@settle_app.command("discard", help=say("Give up a run that is not posted."))
def settle_discard(
    period: Period,
    data: Data = DEFAULT_DATA,
    site: Site = None,
    token: Token = None,
    note: Note = "",
    *,
    as_json: AsJson = False,
) -> None:
    """Give up a run."""
    with opened(data) as house:
        desk = _desk(house, site, token)
        _told(desk.settling.discard(period, desk.who, desk.now_ms, note), as_json=as_json)


@settle_app.command("show", help=say("Show the newest run of a month."))
def settle_show(
    period: Period, data: Data = DEFAULT_DATA, site: Site = None, *, as_json: AsJson = False
) -> None:
    """Show a run."""
    with opened(data) as house:
        desk = _desk(house, site, None)
        with reading(house.engine) as connection:
            found = desk.settling.show(connection, period)
        _told(found, as_json=as_json)


@settle_app.command("ls", help=say("List runs."))
def settle_ls(data: Data = DEFAULT_DATA, site: Site = None, *, as_json: AsJson = False) -> None:
    """List the runs."""
    with opened(data) as house, reading(house.engine) as connection:
        found = list_runs(connection, house.company, site)
    if as_json:
        print_json(list[RunRow], found)
        return
    table = Table(say("Site"), say("Month"), say("Run"), say("State"), say("Payable, yuan"))
    for run in found:
        state = status_word(run.status)
        table.add_row(run.site, run.period, str(run.run), state, yuan(run.payable_fen))
    out.print(table)


def _confirm(desk: _Desk, period: str, question: str, *, yes: bool) -> None:
    if yes:
        return
    if not sys.stdin.isatty():
        raise RemedyError(say("Add --yes: nobody can be asked without a terminal."))
    with reading(desk.house.engine) as connection:
        _print_run(desk.settling.show(connection, period))
    if not typer.confirm(question):
        raise RemedyError(say("Nothing was done."))


def _told(run: Run, *, as_json: bool) -> None:
    if as_json:
        print_json(Run, run)
    else:
        _print_run(run)
    following = next_command(run)
    talk.print(
        say("{status}; next: {command}", status=status_word(run.status), command=following),
        markup=False,
    )


def _print_run(run: Run) -> None:
    table = Table(say("Payee"), say("Rule"), say("Yuan"), say("How"))
    for line in run.lines:
        style = "bold" if line.rule == PAYABLE else ""
        table.add_row(
            line.payee,
            rule_word(line.rule),
            yuan(line.amount_fen),
            " · ".join(filter(None, (line.formula, why(line)))),
            style=style,
        )
    out.print(table)
    out.print(say("Plan: {plan}", plan=run.plan or say("piece rates of the packs alone")))
    for refusal in run.refusals:
        out.print(f"✗ {refusal}", markup=False)
    out.print(
        say(
            "Run {number} of {period}: payable {yuan} yuan, hash {hash}",
            number=run.run,
            period=run.period,
            yuan=yuan(run.payable_fen),
            hash=run.hash,
        )
    )
