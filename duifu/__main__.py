"""The one command: `duifu edge …`, `duifu cloud …`, `duifu replay …`, `duifu demo`.

A room is imported only when it is called, so that a box needs nothing of the cloud.
"""

import os
import sys
from dataclasses import dataclass
from importlib import import_module
from typing import Annotated, Any, Final

import typer
from rich.console import Console
from typer.core import TyperCommand, TyperGroup

from agreed.words import LANGUAGES, RemedyError, language, say
from duifu.help_pages import speak, translate_help
from duifu.usage import mistyped

EXIT_REMEDY: Final = 2
"""A person can put it right; the sentence on stderr says how."""

_COMPLETED: Final = ("COMP_WORDS", "_TYPER_COMPLETE_ARGS")
"""Where bash, and where zsh and fish, give the words that they want completed."""

EXIT_ABORTED: Final = 1
"""A person answered a question by ending the command."""


@dataclass(frozen=True, slots=True)
class _Room:
    """Where a command lives.

    Attributes:
        module: has a `typer.Typer` named app.
        extra: of the distribution, installs what the module imports.
    """

    module: str
    extra: str


_ROOMS: Final = {
    "edge": _Room("edge.__main__", "edge"),
    "cloud": _Room("cloud.__main__", "cloud"),
    "replay": _Room("cloud.replay.__main__", "cloud"),
    "demo": _Room("simulators.__main__", "dev"),
}


def _summaries() -> dict[str, str]:
    return {
        "edge": say("The box on the wall: devices, journal, sync."),
        "cloud": say("Headquarters: ingest, verdicts, pay, pages."),
        "replay": say("Run a historical event log from record to statement."),
        "demo": say("Play one service day of a simulated site."),
    }


class _Rooms(TyperGroup):
    """Commands that are imported when they are called."""

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ARG002  # the shape is typer's
        return list(_ROOMS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:  # noqa: ARG002
        if cmd_name not in _ROOMS:
            return None
        if _is_called(cmd_name):
            return _load(cmd_name)
        command = TyperCommand(cmd_name, short_help=_summaries()[cmd_name])
        command.rich_help_panel = say("Commands")
        return command


def _is_called(name: str) -> bool:
    """Tell a call, or its shell completion, from a listing: only these may import a room."""
    completed = (os.environ.get(words, "").split() for words in _COMPLETED)
    return name in sys.argv[1:] or any(name in words for words in completed)


def _load(name: str) -> Any:
    room = _ROOMS[name]
    try:
        module = import_module(room.module)
    except ModuleNotFoundError as error:
        missing = (error.name or "").split(".")[0]
        if missing in {"agreed", "cloud", "edge", "firmware_interfaces", "simulators"}:
            raise
        raise RemedyError(
            say(
                "“duifu {command}” needs the package {package}: "
                "install it with pip install 'duifu[{extra}]'.",
                command=name,
                package=missing,
                extra=room.extra,
            )
        ) from None
    command = translate_help(typer.main.get_command(module.app))
    command.name = name
    return command


def make_command() -> Any:
    """Build the command in the language in force."""
    app = typer.Typer(
        cls=_Rooms,
        no_args_is_help=True,
        help=say("Duifu proves each promised service step by a device, and pays from that proof."),
        epilog=say("Start with “make demo”; “duifu COMMAND --help” tells more."),
    )

    @app.callback()
    def root(
        lang: Annotated[  # read from the arguments before any text is made
            str,
            typer.Option(
                "--lang", envvar="DUIFU_LANG", metavar="zh|en", help=say("Language: zh or en.")
            ),
        ] = LANGUAGES[0],
    ) -> None:
        pass

    return translate_help(typer.main.get_command(app))


def asked_language(arguments: list[str], environment: dict[str, str]) -> str:
    """Find the language asked for, before any text is made."""
    asked = environment.get("DUIFU_LANG") or LANGUAGES[0]
    for position, argument in enumerate(arguments):
        if argument == "--lang" and position + 1 < len(arguments):
            asked = arguments[position + 1]
        elif argument.startswith("--lang="):
            asked = argument.removeprefix("--lang=")
    return asked


def _choose_language() -> None:
    """Speak the language asked for; one that is not there is said in all that are, and passed over.

    A box must not stop recording for its language.
    """
    asked = asked_language(sys.argv[1:], dict(os.environ))
    if asked not in LANGUAGES:
        for spoken in LANGUAGES:
            language.set(spoken)
            _tell(say("There is no language {name}; use zh or en.", name=asked))
        asked = LANGUAGES[0]
    language.set(asked)
    speak(asked)


def _tell(*lines: str) -> None:
    console = Console(stderr=True, highlight=False, soft_wrap=True)
    for line in lines:
        console.print(line, markup=False)


def main() -> None:
    """Run the command; a sentence and exit status 2 for what a person can put right."""
    _choose_language()
    try:
        status = make_command()(standalone_mode=False)
    except RemedyError as error:
        _tell(f"✗ {error}")
        sys.exit(EXIT_REMEDY)
    except typer.TyperException as error:
        _tell(*mistyped(error))
        sys.exit(error.exit_code)
    except typer.Abort:
        _tell(say("Nothing was done."))
        sys.exit(EXIT_ABORTED)
    sys.exit(status)


if __name__ == "__main__":
    main()
