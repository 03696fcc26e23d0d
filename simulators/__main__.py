"""`duifu demo`: play one service day of a simulated site, and judge it."""

import asyncio
import contextlib
import signal
import time
from pathlib import Path
from typing import Annotated, Final

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn

from agreed.machine import NS_PER_MS
from agreed.words import RemedyError, say
from simulators.demonstration import Demonstration, Script
from simulators.folder import chosen_port, fresh_folder
from simulators.report import show

FOLDER: Final = Path("var/demo")
PORT: Final = 8_000
EXIT_WRONG: Final = 1
"""Something was lost, doubled, unbalanced or unverified."""

_DAY_MS: Final = 24 * 3_600_000
_SHANGHAI_MS: Final = 8 * 3_600_000

app = typer.Typer(add_completion=False, rich_markup_mode="rich")


@app.command(help=say("Play one service day of a simulated site in about a minute, and judge it."))
def demo(
    once: Annotated[bool, typer.Option("--once", help=say("end after the summary"))] = False,
    seed: Annotated[int, typer.Option("--seed", help=say("another day for each number"))] = 1,
    keep: Annotated[
        bool, typer.Option("--keep", help=say("put the last day's folder aside, do not remove it"))
    ] = False,
    data: Annotated[Path, typer.Option("--data", help=say("where everything lies"))] = FOLDER,
    port: Annotated[
        int | None, typer.Option("--port", min=1, max=65_535, help=say("of the pages"))
    ] = None,
) -> None:
    """Play the day; exit status 1 when the judge found a fault."""
    console = Console(highlight=False)
    address_port = chosen_port(port, PORT)
    with fresh_folder(data, is_kept=keep) as folder:
        script = Script(_midnight_ms(), seed=seed)
        is_good = _played(Demonstration(script, folder.absolute(), address_port), console, once)
    if not is_good:
        raise typer.Exit(EXIT_WRONG)


def _played(demonstration: Demonstration, console: Console, once: bool) -> bool:
    with contextlib.suppress(KeyboardInterrupt, asyncio.CancelledError):
        asyncio.run(_play(demonstration, console, once))
    if not demonstration.summary:
        raise RemedyError(say("The demonstration was ended before its summary; start it again."))
    return demonstration.findings.is_good


async def _play(demonstration: Demonstration, console: Console, once: bool) -> None:
    task = asyncio.current_task()
    assert task is not None
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    progress = Progress(
        TextColumn("{task.fields[clock]}", style="bold"),
        BarColumn(),
        TaskProgressColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.description}", markup=False),
        console=console,
    )
    bar = progress.add_task("", total=1, clock="")

    def happening(share: float, clock: str, what: str) -> None:
        progress.update(bar, completed=share, clock=clock, description=what)

    def judged() -> None:
        progress.stop()
        show(console, demonstration.findings, demonstration.workers)
        if once:
            console.print(say("Pages: {url} (run make demo to look at them)", url=address))

    def evening() -> None:
        console.print(say("Pages: {url} (Ctrl-C ends)", url=address))

    address = demonstration.headquarters.url
    with progress:
        await demonstration.play(happening, judged, None if once else evening)


def _midnight_ms() -> int:
    """Give the beginning of today in Shanghai; only this shell asks what day it is."""
    now_ms = time.time_ns() // NS_PER_MS
    return now_ms - (now_ms + _SHANGHAI_MS) % _DAY_MS


if __name__ == "__main__":
    app()
