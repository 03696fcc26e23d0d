"""The box's own files as inputs: a damaged journal or learned store must still let it start."""

import io
import shutil
from collections.abc import Callable
from contextlib import redirect_stdout
from functools import partial
from pathlib import Path
from random import Random
from typing import Final

from edge.config import BoxSettings
from edge.journal import FILE as JOURNAL_FILE
from edge.journal import open_journal
from edge.learned import FILE as LEARNED_FILE
from edge.learned import LearnedStore
from edge.opening import only_one, open_all
from simulators.campaigns.targets import Target
from simulators.power.states import NAMES, commit

_STREAM: Final = "5" * 32
_DIRECTIVES: Final = [f'{{"kind":"end_credential","card":"26:{n}"}}' for n in range(3)]


def file_targets(folder: Path) -> list[Target]:
    """List both files; each input is laid into a data folder, and the box opens it."""
    data = folder / "data"
    settings = BoxSettings.model_validate(
        {
            **dict(zip(("company", "site", "box"), NAMES, strict=True)),
            "data": data,
            "headquarters": {"url": "mqtt://127.0.0.1:1883"},
        }
    )
    return [
        Target(name, [_made(folder, name, make)], partial(_opens, settings, name), (), weight=1)
        for name, make in ((JOURNAL_FILE, _make_journal), (LEARNED_FILE, _make_learned))
    ]


def _made(folder: Path, name: str, make: Callable[[Path], None]) -> bytes:
    path = folder / f"good-{name}"
    make(path)
    return path.read_bytes()


def _make_journal(path: Path) -> None:
    dice = Random(1)
    journal = open_journal(path, NAMES, entropy=dice.randbytes(48), boot=dice.randbytes(16))
    for _ in range(4):
        commit(journal, dice)
    journal.close()


def _make_learned(path: Path) -> None:
    store = LearnedStore(path)
    store.apply(_STREAM, 1, _DIRECTIVES)
    store.close()


def _opens(settings: BoxSettings, name: str, data: bytes) -> bool:
    """Start on a damaged file; True if the file was taken as it is."""
    shutil.rmtree(settings.data, ignore_errors=True)
    # The box logs what it sets aside.
    with only_one(settings.data), redirect_stdout(io.StringIO()):
        (settings.data / name).write_bytes(data)
        opened = open_all(settings)
        opened.journal.close()
        opened.learned.all()
        opened.learned.close()
    return not list(settings.data.glob("*-damaged-*"))
