"""A technician's commands: `duifu edge devices ls | scan | test | monitor | identify`."""

import asyncio
import contextlib
import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from agreed.machine import Moment
from agreed.words import RemedyError, marked, say, say_count
from edge.config import BoxSettings, read_settings
from edge.remedies import port_sentence
from edge.status import NotRunningError, Row, ask_status
from firmware_interfaces.errors import DeviceError
from firmware_interfaces.locker.settings import LockerLine
from firmware_interfaces.observations import Answer, Command, Refuse
from firmware_interfaces.osdp.settings import OsdpLine
from firmware_interfaces.ports import serial_ports
from firmware_interfaces.scanner.settings import ScannerLine
from firmware_interfaces.settings import LineSettings, device_names

# ruff: noqa: PLC0415 - a running box imports this file for its command line, and none of the rest.

app = typer.Typer(no_args_is_help=True, help=say("Look at devices, find them, try them."))

Config = Annotated[
    Path,
    typer.Option("--config", "-c", envvar="DUIFU_CONFIG", help=say("the settings file")),
]
AsJson = Annotated[bool, typer.Option("--json", help=say("answer in JSON"))]
Name = Annotated[str, typer.Argument(metavar="NAME", help=say("name of the device in box.toml"))]
BOX_TOML: Final = Path("box.toml")
FAILED: Final = 1
IDENTIFY_S: Final = 2.0
ADDRESSES_COUNT_MAX: Final = 127


_STATES: Final = {
    "back": marked("answers"),
    "lost": marked("does not answer"),
    "unknown": marked("not heard of yet"),
    "": marked("no box runs"),
}


@app.command("ls", help=say("List the devices and whether they answer."))
def ls(config: Config = BOX_TOML, as_json: AsJson = False) -> None:
    """List what box.toml names; the running box says who answers."""
    settings = read_settings(config)
    try:
        status: Row | None = ask_status(settings.data)
    except NotRunningError:
        status = None
    rows = [
        {
            "name": name,
            "family": line.family,
            "port": line.port,
            "state": _state(name, status),
            "described": status["devices_described"].get(name, "") if status else "",
        }
        for line in settings.line
        for name in device_names(line)
    ]
    if as_json:
        _print(json.dumps(rows, ensure_ascii=False))
        return
    for row in rows:
        word = _STATES[row["state"]]
        state = say(word)
        _print(f"{row['name']:<20} {row['family']:<14} {state}  {row['port']}")
        if row["described"]:
            _print(f"{'':<20} {row['described']}")
    _say(say("Next: duifu edge devices test NAME --config {path}", path=config))


def _state(name: str, status: Row | None) -> str:
    if status is None:
        return ""
    if name in status["devices_lost"]:
        return "lost"
    return "back" if name in status["devices_back"] else "unknown"


@app.command("scan", help=say("Ask on every port, speed and address who is there."))
def scan_ports(
    ports: Annotated[
        list[str] | None, typer.Argument(metavar="PORT", help=say("all ports if left out"))
    ] = None,
    addresses: Annotated[
        int,
        typer.Option(min=1, max=ADDRESSES_COUNT_MAX, help=say("how many addresses to ask")),
    ] = 8,
    write: Annotated[
        Path | None, typer.Option(help=say("append the proposed settings to this file"))
    ] = None,
) -> None:
    """Find devices and propose their settings; nothing moves and nothing is set."""
    where = ports or serial_ports()
    if not where:
        raise RemedyError(say("no serial port is there; plug in an adapter, or name a port."))
    asyncio.run(_scan(where, addresses, write))


async def _scan(ports: Sequence[str], addresses: int, write: Path | None) -> None:
    from rich.console import Console
    from rich.progress import Progress

    from firmware_interfaces.discovery.questions import questions
    from firmware_interfaces.discovery.scan import scan

    asked = questions(addresses)
    with Progress(console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task(say("asking"), total=len(ports) * len(asked))
        found = [one async for one in scan(ports, asked, lambda: progress.advance(task))]
    for fault in (finding.fault for finding in found if finding.fault is not None):
        _say(port_sentence(fault.port, type(fault).__name__, fault.group))
    tables = [
        finding.table(f"found-{number}")
        for number, finding in enumerate(found, start=1)
        if finding.question is not None
    ]
    for table in tables:
        _print(table)
    if write is not None and tables:
        with write.open("a", encoding="utf-8") as file:
            file.write("\n" + "\n".join(tables))
    _say(say_count("{count} device answered.", "{count} devices answered.", len(tables)))
    if not tables:
        _say(say("What only talks by itself is not asked: duifu edge devices monitor shows it."))
        raise typer.Exit(FAILED)


@app.command("monitor", help=say("Show what the devices say, as it comes."))
def monitor(
    names: Annotated[
        list[str] | None,
        typer.Argument(metavar="NAME", help=say("names in box.toml; all devices if left out")),
    ] = None,
    config: Config = BOX_TOML,
    capture: Annotated[
        Path | None, typer.Option(help=say("write the frames to this file, for a replay"))
    ] = None,
    seconds: Annotated[
        float | None, typer.Option(min=0.1, help=say("end by itself after so long"))
    ] = None,
) -> None:
    """Show decoded observations and raw frames until Ctrl-C."""
    settings = read_settings(config)
    lines = [_line_of(settings, name) for name in names] if names else list(settings.line)
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(_monitor(settings, lines, capture, seconds))


async def _monitor(
    settings: BoxSettings,
    lines: Sequence[LineSettings],
    capture: Path | None,
    seconds: float | None,
) -> None:
    from edge.trial import printed

    ports = {line.port for line in lines}
    with contextlib.ExitStack() as stack:
        file = stack.enter_context(capture.open("w", encoding="utf-8")) if capture else None
        async with _bench(settings, lines) as bench:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    while True:
                        row = await bench.row()
                        if row.get("port", "") in ports or "port" not in row:
                            _print(printed(row))
                            if file is not None:
                                file.write(json.dumps(row, ensure_ascii=False) + "\n")
                                file.flush()
    if capture is not None:
        _say(say("Written: {path}", path=capture))


@app.command("test", help=say("Lead through a trial of one device, and say what came of it."))
def try_device(
    name: Name,
    config: Config = BOX_TOML,
    part: Annotated[int, typer.Option(min=1, help=say("compartment of a locker bank"))] = 1,
    wait_s: Annotated[
        int, typer.Option("--wait", min=1, max=600, help=say("seconds to wait in each step"))
    ] = 30,
    as_json: AsJson = False,
) -> None:
    """Lead a person through tap, beep, open, close and scan; ends with 1 if anything was amiss."""
    from firmware_interfaces.discovery.rehearsal import Rehearsal, steps_for

    settings = read_settings(config)
    line = _line_of(settings, name)
    rehearsal = Rehearsal(name, steps_for(line, name, part), wait_s)
    asyncio.run(_test(settings, line, rehearsal))
    results = [
        {
            "act": result.step.act.value,
            "expected": result.step.wanted.name if result.step.wanted else "",
            "outcome": result.outcome.value,
            "seen": result.value,
        }
        for result in rehearsal.results
    ]
    if as_json:
        _print(json.dumps({"device": name, "steps": results}, ensure_ascii=False))
    if not rehearsal.is_passed:
        _say(say("{name}: not everything was as it should be.", name=name))
        raise typer.Exit(FAILED)
    _say(say("{name}: everything was as it should be.", name=name))


async def _test(settings: BoxSettings, line: LineSettings, rehearsal: Any) -> None:
    from edge.trial import led_through

    async with _bench(settings, [line]) as bench:
        await led_through(rehearsal, bench, clock, _print)


@app.command("identify", help=say("Have a device show itself: red light or beep."))
def identify(name: Name, config: Config = BOX_TOML) -> None:
    """Blink or beep; nothing opens."""
    settings = read_settings(config)
    line = _line_of(settings, name)
    command: Command | None = None
    if isinstance(line, OsdpLine):
        command = Refuse(name)
    elif isinstance(line, ScannerLine):
        command = Answer(name, is_good=True)
    if command is None:
        what = say("opens a door") if isinstance(line, LockerLine) else say("shows nothing")
        raise RemedyError(
            say(
                "{name} has neither light nor beep ({what}); try: duifu edge devices test {name}",
                name=name,
                what=what,
            )
        )
    asyncio.run(_identify(settings, line, command))


async def _identify(settings: BoxSettings, line: LineSettings, command: Command) -> None:
    async with _bench(settings, [line]) as bench:
        await _answering(bench, command.device)
        await bench.tell(command)
        _print(say("{name} shows itself now.", name=command.device))
        await asyncio.sleep(IDENTIFY_S)


async def _answering(bench: Any, name: str) -> None:
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(10):
            while True:
                row = await bench.row()
                if (row.get("device"), row.get("seen")) == (name, "BACK"):
                    return
    raise RemedyError(say("{name} does not answer; look at its power and its wires.", name=name))


@contextlib.asynccontextmanager
async def _bench(settings: BoxSettings, lines: Sequence[LineSettings]) -> Any:
    from edge.bench import at_bench

    try:
        async with at_bench(settings.data, lines, clock) as bench:
            yield bench
    except NotRunningError:
        raise RemedyError(say("the box ended meanwhile; try again.")) from None
    except DeviceError as error:
        raise RemedyError(str(error)) from None


def _line_of(settings: BoxSettings, name: str) -> LineSettings:
    for line in settings.line:
        if name in device_names(line):
            return line
    known = ", ".join(n for line in settings.line for n in device_names(line)) or say("none")
    raise RemedyError(
        say("no device is called {name}; there are: {known}.", name=name, known=known)
    )


def clock() -> Moment:
    """Read both clocks."""
    return Moment(time.time_ns(), time.monotonic_ns())


def _print(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def _say(text: str) -> None:
    """Speak to whoever sits at the keyboard, apart from the data."""
    sys.stderr.write(text + "\n")
