"""The box's commands: `duifu edge run`, `status`, `config check`, `journal …`."""

import asyncio
import json
import logging
import os
import sys
from pathlib import Path
from typing import Annotated, Any

import structlog
import typer

from agreed.words import RemedyError, say, say_count
from edge.config import BoxSettings, read_settings
from edge.devices import app as devices_app
from edge.inspection import app as journal_app
from edge.readers import app as readers_app
from edge.remedies import port_sentence, room_sentence, store_sentence
from edge.status import NotRunningError, ask_once, ask_status
from edge.store import StoreError

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    rich_markup_mode="rich",
    help=say("The box: reads devices, keeps the journal, reports to headquarters."),
)
config_app = typer.Typer(no_args_is_help=True, help=say("Look at the settings."))
app.add_typer(config_app, name="config")
app.add_typer(journal_app, name="journal")
app.add_typer(devices_app, name="devices")
app.add_typer(readers_app, name="reader")

Config = Annotated[
    Path,
    typer.Option("--config", "-c", envvar="DUIFU_CONFIG", help=say("the settings file")),
]
AsJson = Annotated[bool, typer.Option("--json", help=say("answer in JSON"))]
BOX_TOML = Path("box.toml")


@app.command(help=say("Run the box until Ctrl-C or SIGTERM."))
def run(
    config: Config = BOX_TOML,
    keep_trying: Annotated[
        bool,
        typer.Option("--keep-trying", help=say("start even if a port is missing, and keep trying")),
    ] = False,
) -> None:
    """Run the box."""
    # Imported here so that looking at a journal needs neither devices nor a broker.
    from edge.agent import Agent  # noqa: PLC0415
    from edge.opening import check_keys, check_ports, only_one, open_all  # noqa: PLC0415

    _log_to_stderr()
    settings = read_settings(config)
    (check_keys if keep_trying else check_ports)(settings)
    with only_one(settings.data):
        opened = open_all(settings)
        _say(
            say(
                "Box {box} runs. In another window: duifu edge status --config {path}",
                box=settings.box,
                path=config,
            )
        )
        keep_running(Agent, settings, opened, config)


def keep_running(agent: Any, settings: BoxSettings, opened: Any, config: Path) -> None:
    """Run the box until it is stopped; a journal that is found damaged is set aside meanwhile.

    A box that begins anew works by the settings that it last took, not by those of its start.
    """
    from edge.opening import open_all  # noqa: PLC0415

    box = asyncio.run(_ended(agent, settings, opened, config))
    while box.is_damaged:
        opened = open_all(box.settings, is_damaged=True)
        box = asyncio.run(_ended(agent, box.settings, opened, config))


async def _ended(agent: Any, settings: BoxSettings, opened: Any, config: Path) -> Any:
    """Run one box to its end."""
    box = agent(settings, opened, config)
    await box.run()
    return box


@app.command(help=say("Ask the running box how it is."))
def status(config: Config = BOX_TOML, as_json: AsJson = False) -> None:
    """Ask the running box how it is."""
    settings = read_settings(config)
    try:
        answer = ask_status(settings.data)
    except NotRunningError:
        raise RemedyError(_not_running(settings.data, config)) from None
    if as_json:
        _print(json.dumps(answer, ensure_ascii=False))
        return
    for line in _status_lines(answer):
        _print(line)
    _say(say("Next: duifu edge journal show --config {path}", path=config))


@app.command(help=say("Have the running box read its settings again."))
def reload(config: Config = BOX_TOML) -> None:
    """Change what the settings change; lines that stay as they are go on undisturbed."""
    settings = read_settings(config)
    try:
        why = ask_once(settings.data, {"ask": "reload"})["error"]
    except NotRunningError:
        raise RemedyError(_not_running(settings.data, config)) from None
    if why:
        raise RemedyError(why)
    _print(say("The box works by {path} now.", path=config))


@app.command(help=say("Show the fingerprint of the box's key, to compare at headquarters."))
def key(config: Config = BOX_TOML, as_json: AsJson = False) -> None:
    """Show the fingerprint; the key is made if there is none yet."""
    from edge.opening import open_box_key  # noqa: PLC0415

    settings = read_settings(config)
    settings.data.mkdir(parents=True, exist_ok=True)
    held = open_box_key(settings.data)
    if as_json:
        _print(json.dumps({"fingerprint": held.fingerprint, "key": held.public.hex()}))
        return
    _print(held.fingerprint)
    _say(say("Compare it at headquarters: Boxes, {box}.", box=settings.box))


@config_app.command("check", help=say("Say what is wrong with the settings, if anything."))
def config_check(config: Config = BOX_TOML) -> None:
    """Check the settings, the ports and the keys."""
    from edge.opening import check_ports  # noqa: PLC0415

    settings = read_settings(config)
    check_ports(settings)
    count = sum(len(line.devices) for line in settings.line)
    _print(
        say_count(
            "{path} is right: {count} device.",
            "{path} is right: {count} devices.",
            count,
            path=config,
        )
    )
    _say(say("Next: duifu edge run --config {path}", path=config))


@journal_app.command(
    "renew",
    help=say(
        "Begin the journal anew where headquarters holds another history; keeps every record."
    ),
)
def journal_renew(config: Config = BOX_TOML) -> None:
    """Carry what headquarters lacks into a new journal; the old one is kept beside it."""
    from edge.opening import only_one  # noqa: PLC0415
    from edge.renewal import NothingPartedError, renew_journal  # noqa: PLC0415

    settings = read_settings(config)
    with only_one(settings.data):
        try:
            done = renew_journal(
                settings.data, (settings.company, settings.site, settings.box), os.urandom(64)
            )
        except NothingPartedError:
            raise RemedyError(
                say(
                    "headquarters has not said that the histories part, or not yet where; let the "
                    "box run and connect until “duifu edge status” names the record.",
                )
            ) from None
        except StoreError as error:
            raise RemedyError(
                say("the journal cannot be renewed ({why}); nothing was changed.", why=error)
            ) from None
    _print(
        say_count(
            "{count} record after {through} carried over; the old journal is {path}.",
            "{count} records after {through} carried over; the old journal is {path}.",
            done.carried,
            through=done.parted_through,
            path=done.left,
        )
    )
    _say(say("Next: duifu edge run --config {path}", path=config))


def _not_running(folder: Path, config: Path) -> str:
    return say(
        "no box runs with data folder {folder}; start it: duifu edge run --config {path}",
        folder=folder,
        path=config,
    )


def _status_lines(answer: dict[str, Any]) -> list[str]:
    link = say("connected") if answer["is_linked"] else say("not reachable; records are kept")
    lines = [
        say("box {box}", box=answer["box"]),
        say("headquarters {url}: {link}", url=answer["headquarters"], link=link),
        say(
            "journal: {head_sequence} records, {waiting_records} not yet at headquarters",
            **answer,
        ),
        say(
            "learned: {credentials_count} cards, {orders_count} orders, {at_risk} promises at risk",
            **answer,
        ),
        say("fingerprint of its key: {fingerprint}", **answer),
        say("memory: {megabytes} MB", megabytes=answer["memory_bytes"] // 1_000_000),
    ]
    if answer["devices_lost"]:
        names = ", ".join(answer["devices_lost"])
        lines.append(say("devices that do not answer: {names}", names=names))
    described: dict[str, str] = answer["devices_described"]
    lines += [say("{name} is {what}", name=name, what=what) for name, what in described.items()]
    incident: str = answer["incident"]
    faults = [say(incident)] if incident else []
    if answer["parted_through"] is not None:
        faults.append(
            say(
                "what it recorded after {parted_through} is not at headquarters; stop the box, "
                "then: duifu edge journal renew",
                **answer,
            )
        )
    faults += [store_sentence(answer["journal_fault"])] if answer["journal_fault"] else []
    faults += [
        say("journal {name} was damaged and is not yet at headquarters in full", name=name)
        for name in answer["wrecks"]
    ]
    faults += filter(None, [room_sentence(answer["journal_room"])])
    faults += [port_sentence(port, **fault) for port, fault in answer["port_faults"].items()]
    return lines + [say("needs a person: {why}", why=fault) for fault in faults]


def _print(text: str) -> None:
    sys.stdout.write(text + "\n")


def _say(text: str) -> None:
    """Speak to whoever sits at the keyboard, apart from the data."""
    sys.stderr.write(text + "\n")


def _log_to_stderr() -> None:
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr)
    # The uplink itself says once when headquarters is lost and once when it is back.
    logging.getLogger("mqtt").setLevel(logging.CRITICAL)
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=False),
            structlog.processors.format_exc_info,
            structlog.processors.LogfmtRenderer(
                key_order=("timestamp", "level", "event"), bool_as_flag=False
            ),
        ],
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )


if __name__ == "__main__":
    app()
