"""Headquarters' command line: `duifu cloud …`."""

import asyncio
import secrets
import sys
from typing import Annotated, Final

import structlog
import typer
from rich.table import Column, Table

from agreed.words import say, say_count
from cloud import reads
from cloud.broker import box_account
from cloud.clerk import settle_app
from cloud.clerk_ledger import ledger_app
from cloud.clerk_statements import statement_app
from cloud.clerk_users import users_app
from cloud.dashboards.incidents import incident_word
from cloud.database.engine import reading
from cloud.database.fleet import BoxName
from cloud.database.views import BoxView
from cloud.folder import Folder
from cloud.office.boxes import accept_box, accept_key, add_box, resolve_incidents
from cloud.office.sites import SiteRequest, open_site
from cloud.opening import Settings
from cloud.passwords import derived_password
from cloud.planning import plan_app
from cloud.service import serve
from cloud.shell import DEFAULT_DATA, AsJson, Data, House, checked, opened, out, print_json, talk

FINGERPRINT_WIDTH: Final = 24

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    help=say("Headquarters: ingest, verdicts, pay, pages."),
)
boxes_app = typer.Typer(no_args_is_help=True, help=say("Boxes: list, add, accept."))
app.add_typer(boxes_app, name="boxes")
app.add_typer(ledger_app, name="ledger")
app.add_typer(plan_app, name="plan")
app.add_typer(settle_app, name="settle")
app.add_typer(users_app, name="users")
app.add_typer(statement_app, name="statement")

SiteBox = Annotated[str, typer.Argument(metavar="SITE/BOX", help=say("Site and box."))]
Seen = Annotated[
    str | None,
    typer.Option("--fingerprint", help=say("Only if the box names this key: “duifu edge key”.")),
]


@app.command(help=say("Run headquarters: broker, ingest, verdicts, pay, pages."))
def run(  # noqa: PLR0913, PLR0917  # options of a command line
    data: Data = DEFAULT_DATA,
    company: Annotated[
        str | None, typer.Option(help=say("Company key; the one in the store if left out."))
    ] = None,
    site: Annotated[
        list[str] | None, typer.Option(help=say("Open this site if it is not there."))
    ] = None,
    host: Annotated[
        str, typer.Option(help=say("Address to listen on; 0.0.0.0 lets boxes elsewhere in."))
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(help=say("Port of the pages; 0 chooses one."))] = 8080,
    broker: Annotated[
        str | None, typer.Option(help=say("Another broker: mqtt://USER:PASSWORD@HOST:PORT."))
    ] = None,
    database: Annotated[
        str | None, typer.Option(help=say("postgresql://… instead of SQLite in the data folder."))
    ] = None,
    mqtt_port: Annotated[
        int, typer.Option(help=say("Port of our own broker; 0 chooses one."))
    ] = 1883,
) -> None:
    """Run headquarters until Ctrl-C."""
    for option, name in [("--company", company), *(("--site", key) for key in site or [])]:
        if name is not None:
            checked(option, name)
    settings = Settings(data, company, tuple(site or ()), host, port, broker, mqtt_port, database)

    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))

    def announce(address: str) -> None:
        talk.print(say("Headquarters is open: {address}", address=address), markup=False)

    asyncio.run(serve(settings, announce))


@app.command(help=say("Print the token that lets a program write."))
def token(data: Data = DEFAULT_DATA) -> None:
    """Print the token."""
    folder = Folder(data)
    folder.kept()
    print(folder.token())  # noqa: T201  # it is the output


@boxes_app.command("ls", help=say("List boxes and how far they were heard."))
def boxes_ls(data: Data = DEFAULT_DATA, *, as_json: AsJson = False) -> None:
    """List the boxes."""
    with opened(data) as house, reading(house.engine) as connection:
        found = reads.boxes(connection, house.company)
    if as_json:
        print_json(list[BoxView], found)
        return
    table = Table(
        say("Site"),
        say("Box"),
        Column(say("State"), overflow="fold"),
        say("Committed"),
        say("Waiting"),
        # Somebody compares it digit by digit: never cut it to the width of the window.
        Column(say("Fingerprint"), no_wrap=True, min_width=FINGERPRINT_WIDTH),
    )
    for box in found:
        state = (
            say("incident: {kind}", kind=incident_word(box.incident))
            if box.incident
            else _status(box.status)
        )
        waiting = "–" if box.waiting_records is None else str(box.waiting_records)
        key = box.fingerprint or box.offered_fingerprint or "–"
        table.add_row(box.site, box.box, state, str(box.committed_through), waiting, key)
    out.print(table)


@boxes_app.command("add", help=say("Add and accept a box, and print its [headquarters] section."))
def boxes_add(name: SiteBox, data: Data = DEFAULT_DATA) -> None:
    """Add a box, its site too if that is new, and take it into service."""
    with opened(data) as house:
        key = house.box(name)
        request = SiteRequest(site=key.site, name=key.site)
        open_site(house.engine, house.company, request, house.now_ms)
        add_box(house.engine, key, secrets.token_bytes(16), house.now_ms)
        _accept(house, key)


@boxes_app.command("accept", help=say("Accept a pending box; again, it gets another password."))
def boxes_accept(name: SiteBox, data: Data = DEFAULT_DATA, fingerprint: Seen = None) -> None:
    """Take a box into service."""
    with opened(data) as house:
        _accept(house, house.box(name), fingerprint)


@boxes_app.command(
    "accept-key", help=say("Know a box by the other key that it names, once you compared it.")
)
def boxes_accept_key(
    name: SiteBox,
    fingerprint: Annotated[str, typer.Argument(help=say("As “duifu edge key” shows it."))],
    data: Data = DEFAULT_DATA,
) -> None:
    """Accept the key of a box that was replaced."""
    with opened(data) as house:
        accept_key(house.engine, house.box(name), fingerprint, house.now_ms)
        talk.print(say("Accepted; the box goes on by itself within some seconds."))


@boxes_app.command("resolve", help=say("Say that a person has looked; blocks are taken again."))
def boxes_resolve(name: SiteBox, data: Data = DEFAULT_DATA) -> None:
    """Resolve what is open at a box."""
    with opened(data) as house:
        count = resolve_incidents(house.engine, house.box(name), house.now_ms)
        talk.print(say_count("{count} incident resolved.", "{count} incidents resolved.", count))


def _accept(house: House, name: BoxName, fingerprint: str | None = None) -> None:
    stream, now_ms = secrets.token_bytes(16), house.now_ms
    number = accept_box(house.engine, name, stream, now_ms, fingerprint)
    password = derived_password(house.folder.secret(), *name, number=number)
    account = box_account(*name, password)
    lines = [
        f'company = "{name.company}"',
        f'site = "{name.site}"',
        f'box = "{name.box}"',
        "",
        "[headquarters]",
        f'url = "{house.kept.mqtt_url}"',
        f'user = "{account.user}"',
        f'password = "{account.password}"',
    ]
    print("\n".join(lines))  # noqa: T201  # it is the output: the head of a box.toml
    talk.print(say("Put this at the head of the box's box.toml; the password is shown only now."))


def _status(status: str) -> str:
    words = {"pending": say("pending"), "accepted": say("accepted"), "retired": say("retired")}
    return words[status]


def main() -> None:
    """Run the command by itself, without the other rooms."""
    app()


if __name__ == "__main__":
    main()
