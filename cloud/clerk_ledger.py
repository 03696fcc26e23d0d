"""The finance clerk's shell: `duifu cloud ledger …`."""

from datetime import datetime, timedelta, timezone
from typing import Annotated, Final

import typer
from rich.table import Table

from agreed.limits import AMOUNT_FEN_MAX, WALL_MS_MAX
from agreed.money import yuan
from agreed.words import RemedyError, say
from cloud import reads
from cloud.database.engine import reading
from cloud.database.views import AccountView, LedgerCheck
from cloud.office.money import Fund, FundsRequest, fund_account
from cloud.office.refunding import RefundRequest, refund_order
from cloud.office.wagers import release_wager
from cloud.shell import (
    DEFAULT_DATA,
    AsJson,
    Data,
    Note,
    OnceKey,
    Order,
    Site,
    opened,
    out,
    print_json,
    requested,
)

EXIT_UNSOUND: Final = 1
"""The ledger or a chain does not hold."""

ledger_app = typer.Typer(no_args_is_help=True, help=say("The books: check, accounts, balances."))


@ledger_app.command("check", help=say("Check the books and every chain from its first block."))
def ledger_check(data: Data = DEFAULT_DATA, *, as_json: AsJson = False) -> None:
    """Check everything; exit status 1 if something does not hold."""
    with opened(data) as house, reading(house.engine) as connection:
        found = reads.ledger_check(connection, house.company)
    if as_json:
        print_json(LedgerCheck, found)
    else:
        sound = say("yes") if found.is_balanced else say("NO")
        chained = say("yes") if found.is_chain_verified else say("NO")
        out.print(
            say("Books balanced: {sound} ({count} transfers)", sound=sound, count=found.transfers)
        )
        out.print(
            say(
                "Chains verified: {sound} ({blocks} blocks, {records} records)",
                sound=chained,
                blocks=found.blocks,
                records=found.records,
            )
        )
        for fault in found.faults:
            out.print(f"✗ {fault}", markup=False)
    if found.faults:
        raise typer.Exit(EXIT_UNSOUND)


@ledger_app.command("accounts", help=say("List accounts with their balances."))
def ledger_accounts(data: Data = DEFAULT_DATA, *, as_json: AsJson = False) -> None:
    """List the accounts."""
    with opened(data) as house, reading(house.engine) as connection:
        found = reads.accounts(connection, house.company)
    _show_accounts(found, as_json=as_json)


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
        key = house.place(site).site
        found = reads.balances_at(connection, house.company, key, at_ms, known_ms)
    _show_accounts(found, as_json=as_json)


@ledger_app.command("fund", help=say("Fund a site's pool or fund, or a wager's escrow."))
def ledger_fund(  # noqa: PLR0913, PLR0917  # options of a command line
    into: Annotated[Fund, typer.Argument(help=say("Which fund; stakes name a wager."))],
    amount_fen: Annotated[int, typer.Argument(min=1, max=AMOUNT_FEN_MAX, help=say("Fen."))],
    key: OnceKey,
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
        held = fund_account(house.engine, house.place(site), request, house.now_ms)
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
        found = release_wager(house.engine, house.place(site), wager, house.now_ms)
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
    order: Order,
    key: OnceKey,
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
        found = refund_order(house.engine, house.place(site), order, request, house.now_ms)
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


def _show_accounts(found: list[AccountView], *, as_json: bool) -> None:
    if as_json:
        print_json(list[AccountView], found)
        return
    table = Table(say("Site"), say("Account"), say("Balance, yuan"))
    for account in found:
        table.add_row(account.site, account.account, yuan(account.balance_fen))
    out.print(table)
