"""The finance clerk's shell: `duifu cloud settle|ledger|users …`."""

import secrets
import sys
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Annotated, Final

import typer
from rich.table import Table

from agreed.limits import AMOUNT_FEN_MAX, WALL_MS_MAX
from agreed.money import yuan
from agreed.words import RemedyError, say
from cloud import reads
from cloud.database.engine import reading
from cloud.database.fleet import Place
from cloud.database.views import AccountView
from cloud.office import people
from cloud.office.money import Fund, FundsRequest, fund_account
from cloud.office.people import OPERATOR, Duty, Person, UserRequest
from cloud.office.refunding import RefundRequest, refund_order
from cloud.office.run_words import rule_word, status_word, why
from cloud.office.settling import (
    Run,
    RunRow,
    Settling,
    list_runs,
    next_command,
)
from cloud.office.wagers import release_wager
from cloud.settlement.running import PAYABLE
from cloud.shell import (
    DEFAULT_DATA,
    AsJson,
    Data,
    House,
    checked,
    opened,
    out,
    print_json,
    requested,
    talk,
)

settle_app = typer.Typer(
    no_args_is_help=True, help=say("Settle a month: preview, review, approve, post, pay.")
)
ledger_app = typer.Typer(no_args_is_help=True, help=say("The books: check, accounts, balances."))
users_app = typer.Typer(no_args_is_help=True, help=say("People with a token of their own."))

TOKEN_BYTES: Final = 32
Period = Annotated[str, typer.Argument(help=say("Month, as 2026-03."))]
Site = Annotated[str | None, typer.Option(help=say("Site; may be left out where there is one."))]
Token = Annotated[
    str | None,
    typer.Option(
        "--token", envvar="DUIFU_TOKEN", help=say("Your own token; without it the operator acts.")
    ),
]
Note = Annotated[str, typer.Option(help=say("A remark that stays with the act."))]
Yes = Annotated[bool, typer.Option("--yes", help=say("Do it without asking."))]


@dataclass(frozen=True, slots=True)
class _Desk:
    """One opened headquarters, one site, one person."""

    house: House
    settling: Settling
    who: Person
    site: str

    @property
    def now_ms(self) -> int:
        return self.house.clock.wall_ms()


def _desk(house: House, site: str | None, token: str | None) -> _Desk:
    key = one_site(house, site)
    settling = Settling(house.engine, Place(house.company, key))
    return _Desk(house, settling, acting(house, token), key)


def acting(house: House, token: str | None) -> Person:
    """Find who acts: the person of a token, else the operator.

    Raises:
        RemedyError: it is nobody's token.
    """
    if token is None or token == house.folder.token():
        return OPERATOR
    found = people.person_of(house.engine, house.company, token)
    if found is None:
        raise RemedyError(say("This token is nobody's; “duifu cloud users add” gives one."))
    return found


def one_site(house: House, site: str | None) -> str:
    """Find the site that is meant.

    Raises:
        RemedyError: there are several and none was named.
    """
    if site is not None:
        return checked("--site", site)
    with reading(house.engine) as connection:
        known = [view.site for view in reads.sites(connection, house.company, 0)]
    if len(known) != 1:
        raise RemedyError(say("Name the site with --site: {sites}.", sites=", ".join(known) or "–"))
    return known[0]


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


@ledger_app.command(
    "balance", help=say("Balances at a past moment, as known then or as known now.")
)
def ledger_balance(
    data: Data = DEFAULT_DATA,
    site: Site = None,
    at: Annotated[
        str | None, typer.Option(help=say("Local time, as 2026-03-31 or 2026-03-31T18:00."))
    ] = None,
    known_at: Annotated[
        str | None, typer.Option(help=say("By what was known then; now if left out."))
    ] = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Show the balances of a past moment."""
    with opened(data) as house, reading(house.engine) as connection:
        view = reads.company(connection, house.company)
        offset = view.utc_offset_minutes if view else 480
        at_ms, known_ms = (local_ms(text, offset) for text in (at, known_at))
        key = one_site(house, site)
        found = reads.balances_at(connection, house.company, key, at_ms, known_ms)
    if as_json:
        print_json(list[AccountView], found)
        return
    table = Table(say("Site"), say("Account"), say("Balance, yuan"))
    for account in found:
        table.add_row(account.site, account.account, yuan(account.balance_fen))
    out.print(table)


def local_ms(text: str | None, utc_offset_minutes: int) -> int:
    """Read a local time; a day alone means its end, nothing means the end of time.

    Raises:
        RemedyError: it is no time.
    """
    if text is None:
        return WALL_MS_MAX
    zone = timezone(timedelta(minutes=utc_offset_minutes))
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise RemedyError(
            say("{text} is no time; write 2026-03-31 or 2026-03-31T18:00.", text=text)
        ) from None
    if len(text) <= len("2026-03-31"):
        moment += timedelta(days=1)
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=zone)
    return int(moment.timestamp() * 1000) - (len(text) <= len("2026-03-31"))


@users_app.command("add", help=say("Give a person a token; it is shown only now."))
def users_add(
    user_id: Annotated[str, typer.Argument(help=say("Short name, as acts name the person."))],
    name: Annotated[str, typer.Option(help=say("The person's name."))],
    role: Annotated[list[Duty], typer.Option(help=say("clerk, approver or operator; repeat."))],
    data: Data = DEFAULT_DATA,
) -> None:
    """Give a person a token."""
    with opened(data) as house:
        user = checked("USER_ID", user_id)
        request = requested(UserRequest, user_id=user, name=name, roles=role)
        token = secrets.token_hex(TOKEN_BYTES)
        people.put_user(house.engine, house.company, request, token, house.clock.wall_ms())
    print(token)  # noqa: T201  # it is the output
    talk.print(say("Hand it over; next: duifu cloud settle ls --token TOKEN"), markup=False)


@ledger_app.command("fund", help=say("Fund a site's pool or fund, or a wager's escrow."))
def ledger_fund(  # noqa: PLR0913, PLR0917  # options of a command line
    into: Annotated[Fund, typer.Argument(help=say("Which fund; stakes name a wager."))],
    amount_fen: Annotated[int, typer.Argument(min=1, max=AMOUNT_FEN_MAX, help=say("Fen."))],
    key: Annotated[
        str, typer.Option(help=say("Yours, for this funding; the same key again changes nothing."))
    ],
    data: Data = DEFAULT_DATA,
    site: Site = None,
    wager: Annotated[str, typer.Option(help=say("Key of the wager, for stakes."))] = "",
    period: Annotated[str | None, typer.Option(help=say("Month, as 2026-03."))] = None,
    note: Note = "",
    *,
    from_share: Annotated[
        bool, typer.Option(help=say("Take the company's stake from the share for wagers."))
    ] = False,
) -> None:
    """Fund an account of a site."""
    request = requested(
        FundsRequest,
        key=key,
        amount_fen=amount_fen,
        note=note,
        into=into,
        period=period,
        wager=wager,
        is_from_share=from_share,
    )
    with opened(data) as house:
        place = Place(house.company, one_site(house, site))
        held = fund_account(house.engine, place, request, house.clock.wall_ms())
    out.print(
        say("{account} holds {yuan} yuan", account=held.account, yuan=yuan(held.held_fen)),
        markup=False,
    )


@ledger_app.command("release", help=say("Give back the stakes of a wager that is over."))
def ledger_release(
    wager: Annotated[str, typer.Argument(help=say("Key of the wager."))],
    data: Data = DEFAULT_DATA,
    site: Site = None,
) -> None:
    """Give back what is left of both stakes."""
    with opened(data) as house:
        place = Place(house.company, one_site(house, site))
        found = release_wager(house.engine, place, wager, house.clock.wall_ms())
    out.print(
        say(
            "{wager}: {senior} yuan to {name} through the bank, {company} yuan to the company.",
            wager=found.wager,
            senior=yuan(found.senior_fen),
            name=found.senior,
            company=yuan(found.company_fen),
        ),
        markup=False,
    )


@ledger_app.command("refund", help=say("Give a resident back what an order brought."))
def ledger_refund(  # options of a command line
    order: Annotated[str, typer.Argument(help=say("Order."))],
    key: Annotated[
        str, typer.Option(help=say("Yours, for this refund; the same key again changes nothing."))
    ],
    cause: Annotated[str, typer.Option(help=say("Why; it stands on the statements."))],
    data: Data = DEFAULT_DATA,
    site: Site = None,
    fen: Annotated[
        int | None,
        typer.Option(min=1, max=AMOUNT_FEN_MAX, help=say("Fen; all that is left if left out.")),
    ] = None,
) -> None:
    """Give back a part of an order's income, or all of it."""
    request = requested(RefundRequest, key=key, amount_fen=fen, cause=cause)
    with opened(data) as house:
        place = Place(house.company, one_site(house, site))
        now_ms = house.clock.wall_ms()
        found = refund_order(house.engine, place, order, request, now_ms)
    out.print(
        say(
            "{order}: {back} of {income} yuan went back, counted in {period}.",
            order=found.order_id,
            back=yuan(found.refunded_fen),
            income=yuan(found.income_fen),
            period=found.period,
        ),
        markup=False,
    )


@users_app.command("ls", help=say("List people who have a token."))
def users_ls(data: Data = DEFAULT_DATA, *, as_json: AsJson = False) -> None:
    """List the people."""
    with opened(data) as house, reading(house.engine) as connection:
        found = people.list_users(connection, house.company)
    if as_json:
        print_json(list[Person], found)
        return
    table = Table(say("Id"), say("Name"), say("Roles"))
    for person in found:
        table.add_row(person.user_id, person.name, " ".join(sorted(person.duties)))
    out.print(table)


@users_app.command("end", help=say("End a person's token."))
def users_end(
    user_id: Annotated[str, typer.Argument(help=say("Short name."))], data: Data = DEFAULT_DATA
) -> None:
    """End a person's token."""
    with opened(data) as house:
        people.end_user(house.engine, house.company, user_id, house.clock.wall_ms())
    talk.print(say("Ended."), markup=False)


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
