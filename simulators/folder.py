"""The folder that a demonstration lives in: fresh each time, removed only if it is ours."""

import fcntl
import os
import shutil
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from agreed.words import RemedyError, say

MARK: Final = ".duifu-demo"
"""A file that says: everything beside it was made by a demonstration and may be removed."""

_KEPT_COUNT_MAX: Final = 1_000


@contextmanager
def fresh_folder(folder: Path, *, is_kept: bool) -> Iterator[Path]:
    """Give an empty folder to one demonstration at a time.

    Args:
        folder: where; what an earlier demonstration left there goes.
        is_kept: put it aside under another name instead of removing it.

    Raises:
        RemedyError: it cannot be written, is not ours to remove, or is in use.
    """
    lock = folder.with_name(folder.name + ".lock")
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with lock.open("w") as held:
            _only_one(held.fileno(), folder)
            _clear(folder, is_kept=is_kept)
            folder.mkdir()
            (folder / MARK).touch()
            yield folder
    except OSError as error:
        if error.filename is None or not str(error.filename).startswith(str(folder.parent)):
            raise
        raise RemedyError(
            say(
                "{path} cannot be written ({why}); make it writable or choose another with --data.",
                path=error.filename,
                why=error.strerror,
            )
        ) from None


def chosen_port(wanted: int | None, preferred: int = 0) -> int:
    """Choose a port on loopback: the wanted one, else the preferred one if any, else a free one.

    Raises:
        RemedyError: the wanted one is in use.
    """
    if wanted is not None:
        if not _is_free(wanted):
            raise RemedyError(
                say(
                    "port {port} is in use; give another with --port, or leave it out.",
                    port=wanted,
                )
            )
        return wanted
    if preferred and _is_free(preferred):
        return preferred
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def _only_one(descriptor: int, folder: Path) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise RemedyError(
            say(
                "another demonstration uses {path}; end it or choose another with --data.",
                path=folder,
            )
        ) from None


def _clear(folder: Path, *, is_kept: bool) -> None:
    if not os.path.lexists(folder):
        return
    if folder.is_symlink() or not folder.is_dir() or not (folder / MARK).is_file():
        raise RemedyError(
            say(
                "{path} is not of a demonstration; move it away or choose another with --data.",
                path=folder,
            )
        )
    if is_kept:
        folder.rename(_unused_name(folder))
    else:
        shutil.rmtree(folder)


def _unused_name(folder: Path) -> Path:
    names = (folder.with_name(f"{folder.name}-{i}") for i in range(1, _KEPT_COUNT_MAX))
    return next(name for name in names if not os.path.lexists(name))
