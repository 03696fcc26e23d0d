"""Commands for readers' keys: `duifu edge reader key`, `install` and `rekey`."""

import os
import sys
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from agreed.words import RemedyError, say
from edge.config import read_settings
from edge.control import tell_box
from edge.keying import (
    BUSY,
    INSTALL,
    MORE_S,
    NO_KEY_FILE,
    NO_SUCH_READER,
    REKEY,
    REKEY_S_MAX,
    SILENT,
    UNFINISHED,
    UNWRITABLE,
)
from edge.reader_keys import KeyFileThereError, write_key
from edge.status import NotRunningError
from firmware_interfaces.osdp.reader import INSTALL_S_MAX
from firmware_interfaces.osdp.settings import KEY_BYTES

BOX_TOML: Final = Path("box.toml")
INSTALL_S: Final = 120

app = typer.Typer(no_args_is_help=True, help=say("Give OSDP readers their keys."))

Config = Annotated[
    Path, typer.Option("--config", "-c", envvar="DUIFU_CONFIG", help=say("the settings file"))
]
Name = Annotated[str, typer.Argument(help=say("the reader's name in the settings"))]


@app.command(help=say("Write a new random key into a file of its own."))
def key(path: Annotated[Path, typer.Argument(help=say("the new file"))]) -> None:
    """Write a new random key."""
    try:
        write_key(path, os.urandom(KEY_BYTES))
    except KeyFileThereError:
        raise RemedyError(
            say("{path} is there already; choose another file or move it away.", path=path)
        ) from None
    except OSError as error:
        raise RemedyError(
            say(
                "{path} cannot be written ({why}); choose another file.",
                path=path,
                why=error.strerror,
            )
        ) from None
    _say(say("Next: name {path} as the reader's key_file and start the box.", path=path))


@app.command(help=say("Take a reader's well-known installation key for a while, and replace it."))
def install(
    reader: Name,
    config: Config = BOX_TOML,
    seconds: Annotated[
        int, typer.Option("--seconds", min=10, max=INSTALL_S_MAX, help=say("how long at most"))
    ] = INSTALL_S,
) -> None:
    """Open the window, and wait for what comes of it."""
    _say(say("Set reader {reader} to installation mode now.", reader=reader))
    request = {"act": INSTALL, "device": reader, "for_s": seconds}
    outcome = _tell(config, request, seconds + 2 * MORE_S)
    value = outcome.get("value")
    if outcome["outcome"] == "install_closed" and value == "keyed":
        _print(say("Reader {reader} has its own key now.", reader=reader))
        return
    if outcome["outcome"] == "install_closed" and value == "own key":
        _print(say("Reader {reader} had its own key already.", reader=reader))
        return
    raise _remedy(reader, outcome)


@app.command(help=say("Give a reader a new random key."))
def rekey(reader: Name, config: Config = BOX_TOML) -> None:
    """Replace the key of a reader, and of its file."""
    outcome = _tell(config, {"act": REKEY, "device": reader}, REKEY_S_MAX + MORE_S)
    if outcome["outcome"] != "rekeyed":
        raise _remedy(reader, outcome)
    _print(say("Reader {reader} has a new key, and so has its file.", reader=reader))


def _tell(config: Path, request: dict[str, Any], wait_s: float) -> dict[str, Any]:
    settings = read_settings(config)
    try:
        return tell_box(settings.data, request, wait_s)
    except NotRunningError:
        raise RemedyError(
            say(
                "no box runs with data folder {folder}; start it: duifu edge run --config {path}",
                folder=settings.data,
                path=config,
            )
        ) from None


def _remedy(reader: str, outcome: dict[str, Any]) -> RemedyError:
    """Put into one sentence why a reader did not get its key."""
    sentences = {
        NO_SUCH_READER: say(
            "there is no OSDP reader {reader} that this box commands; correct its name.",
            reader=reader,
        ),
        NO_KEY_FILE: say(
            "the key of reader {reader} stands in the settings; put it into a key_file first.",
            reader=reader,
        ),
        UNFINISHED: say(
            "reader {reader} may have either of two keys; wait until it answers, then try again.",
            reader=reader,
        ),
        BUSY: say("reader {reader} is busy; try again in a moment.", reader=reader),
        UNWRITABLE: say(
            "the key file of reader {reader} cannot be written ({why}); correct its rights.",
            reader=reader,
            why=outcome.get("value", ""),
        ),
        SILENT: say("reader {reader} does not answer; look at its wires.", reader=reader),
    }
    why = outcome.get("value", "")
    other = say(
        "reader {reader} did not take a key ({why}); see docs/devices.md.", reader=reader, why=why
    )
    return RemedyError(sentences.get(outcome["outcome"], other))


def _print(text: str) -> None:
    sys.stdout.write(text + "\n")


def _say(text: str) -> None:
    """Speak to whoever sits at the keyboard, apart from the data."""
    sys.stderr.write(text + "\n")
