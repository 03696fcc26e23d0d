"""`python -m simulators.devices SCENARIO.toml`: simulated devices in a process of their own."""

import asyncio
import contextlib
import json
import signal
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from agreed.words import RemedyError, say
from simulators.devices.playing import play
from simulators.devices.scenario import read_scenario

app = typer.Typer(add_completion=False, rich_markup_mode="rich")


@app.command(help=say("Let simulated devices live on named ports until the scenario ends."))
def simulate(
    scenario: Annotated[Path, typer.Argument(help=say("the scenario file"))],
    folder: Annotated[Path, typer.Option("--folder", help=say("where the ports appear"))] = Path(),
) -> None:
    """Play the scenario; one line of JSON for where the ports are, and one for all that crosses."""
    try:
        asyncio.run(_played(scenario, folder.absolute()))
    except RemedyError as error:
        sys.stderr.write(f"{error}\n")
        raise typer.Exit(2) from None


async def _played(path: Path, folder: Path) -> None:
    playing = asyncio.create_task(play(read_scenario(path), folder, _tell))
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, playing.cancel)
    with contextlib.suppress(asyncio.CancelledError):
        await playing


def _tell(what: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(what, ensure_ascii=False) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    app()
