"""The one command: `duifu edge …`, `duifu cloud …`, `duifu replay …`, `duifu demo`.

A room is imported only when it is called, so that a box needs nothing of the cloud.
"""

import os
import sys
from importlib import import_module
from typing import Annotated, Any, Final

import click
import typer
from rich.console import Console
from typer.core import TyperGroup

from agreed.words import LANGUAGES, RemedyError, language, say

EXIT_REMEDY: Final = 2
"""A person can put it right; the sentence on stderr says how."""

_ROOMS: Final = {
    "edge": ("edge.__main__", "edge", "The box: devices, journal, sync."),
    "cloud": ("cloud.__main__", "cloud", "Headquarters: ingest, verdicts, pay, pages."),
    "replay": ("cloud.replay.__main__", "cloud", "Run a historical event log from record to pay."),
    "demo": ("simulators.__main__", "dev", "Play one service day of a simulated site."),
}


class _Rooms(TyperGroup):
    """Commands that are imported when they are called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_ROOMS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> Any:
        if cmd_name not in _ROOMS:
            return None
        module, extra, summary = _ROOMS[cmd_name]
        if "--help" in sys.argv[1:2] or len(sys.argv) == 1:
            return click.Command(cmd_name, short_help=say(summary))
        try:
            app: typer.Typer = import_module(module).app
        except ModuleNotFoundError as error:
            if (error.name or "").split(".")[0] in {"agreed", "cloud", "edge", "simulators"}:
                raise
            raise RemedyError(
                say(
                    "“duifu {command}” needs the package {package}: "
                    "install it with pip install 'duifu[{extra}]'.",
                    command=cmd_name,
                    package=error.name,
                    extra=extra,
                )
            ) from None
        command = typer.main.get_command(app)
        command.name = cmd_name
        return command


app = typer.Typer(cls=_Rooms, no_args_is_help=True, rich_markup_mode="rich")


@app.callback(help=say("Duifu proves each promised service step by a device, and pays from it."))
def _root(
    _lang: Annotated[
        str, typer.Option("--lang", envvar="DUIFU_LANG", help=say("zh or en"), metavar="LANG")
    ] = LANGUAGES[0],
) -> None:
    pass


def main() -> None:
    """Run the command; a sentence and exit status 2 for what a person can put right."""
    chosen = os.environ.get("DUIFU_LANG", LANGUAGES[0])
    if "--lang" in sys.argv[:-1]:
        chosen = sys.argv[sys.argv.index("--lang") + 1]
    language.set(chosen if chosen in LANGUAGES else LANGUAGES[0])
    try:
        app()
    except RemedyError as error:
        Console(stderr=True, highlight=False, soft_wrap=True).print(f"✗ {error}", markup=False)
        sys.exit(EXIT_REMEDY)


if __name__ == "__main__":
    main()
