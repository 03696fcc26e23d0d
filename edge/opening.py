"""Opens what the box keeps on its card, and says in one sentence why that is not possible."""

import errno
import fcntl
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import structlog

from agreed.words import RemedyError, say
from edge.clock import BoxClock, make_clock, parse_memory, timeline_id
from edge.config import BoxSettings
from edge.journal import FILE as JOURNAL_FILE
from edge.journal import Entry, Journal, NotOursError, open_journal
from edge.key import FILE as KEY_FILE
from edge.key import BoxKey, KeyDamagedError, open_key
from edge.learned import FILE as LEARNED_FILE
from edge.learned import LearnedStore
from edge.salvage import ASIDE_COUNT_MAX, adopt_wrecks, check_journal, set_aside
from edge.store import (
    Reserve,
    StoreDamagedError,
    StoreError,
    StoreFaultError,
    StoreFullError,
    StoreReadOnlyError,
    sync_folder,
)
from edge.witness import FILE as WITNESS_FILE
from edge.witness import Witness
from firmware_interfaces.ble.settings import BleLine, EphemeralBadge
from firmware_interfaces.errors import KeyFileError
from firmware_interfaces.osdp.settings import OsdpLine, OsdpReader
from firmware_interfaces.settings import LineSettings

LOCK_FILE: Final = "lock"
RESERVE_FILE: Final = "reserve"

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Opened:
    """What a running box holds on its card."""

    journal: Journal
    learned: LearnedStore
    reserve: Reserve
    clock: BoxClock
    key: BoxKey


def check_ports(settings: BoxSettings) -> None:
    """See that every port and key file is there.

    Raises:
        RemedyError: names the first that is not.
    """
    for line in settings.line:
        if line.port.startswith("/") and not Path(line.port).exists():
            names = ", ".join(device.name for device in line.devices)
            raise RemedyError(
                say(
                    "port {port} ({devices}) is not there; plug in its adapter or correct "
                    "the port. “duifu edge run --keep-trying” starts without it.",
                    port=line.port,
                    devices=names,
                )
            )
    check_keys(settings)


def check_keys(settings: BoxSettings) -> None:
    """See that every reader's key can be read.

    Raises:
        RemedyError: names the first reader whose key cannot.
    """
    for line in settings.line:
        for reader in _holders_of_keys(line):
            try:
                reader.read_keys() if isinstance(reader, OsdpReader) else reader.read_key()
            except KeyFileError:
                raise RemedyError(
                    say(
                        "the key of reader {reader} cannot be read from {path}; "
                        "put its 32 hexadecimal characters there.",
                        reader=reader.name,
                        path=reader.key_file,
                    )
                ) from None
    settings.headquarters.read_password()


def _holders_of_keys(line: LineSettings) -> Sequence[OsdpReader | EphemeralBadge]:
    if isinstance(line, OsdpLine):
        return line.devices
    return line.devices[0].badges if isinstance(line, BleLine) else ()


@contextmanager
def only_one(folder: Path) -> Iterator[None]:
    """Hold the data folder for this process.

    Raises:
        RemedyError: it cannot be made or written, or another box runs there.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(folder / LOCK_FILE, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise _folder_remedy(folder, error) from None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        raise RemedyError(
            say("another box already runs with data folder {path}; stop it first.", path=folder)
        ) from None
    try:
        yield
    finally:
        os.close(descriptor)


def open_all(settings: BoxSettings, *, is_damaged: bool = False) -> Opened:
    """Open, or make, everything in the data folder; damaged files are set aside.

    Args:
        settings: which folder, and whose.
        is_damaged: whether the journal was found damaged while the box ran.

    Raises:
        RemedyError: the folder is full, read-only or otherwise unusable.
    """
    folder = settings.data
    reserve = Reserve(folder / RESERVE_FILE)
    try:
        reserve.make()
        key = open_box_key(folder)
        journal = _open_journal(settings, is_damaged=is_damaged)
        learned = _open_learned(folder)
    except NotOursError as error:
        raise RemedyError(
            say(
                "data folder {path} holds the journal of {owner}; correct the names or "
                "choose another folder as “data”.",
                path=folder,
                owner=error,
            )
        ) from None
    except StoreError as error:
        raise _store_remedy(folder, error) from None
    return Opened(journal, learned, reserve, make_clock(parse_memory(journal.clock_memory)), key)


def open_box_key(folder: Path) -> BoxKey:
    """Read the key of the box, or make it at the first start.

    Raises:
        RemedyError: the file holds no key, or cannot be used.
    """
    path = folder / KEY_FILE
    try:
        return open_key(path, os.urandom(32))
    except KeyDamagedError:
        raise RemedyError(
            say(
                "{path} holds no key; move it away, start the box again, and let a person at "
                "headquarters accept its new fingerprint: duifu edge key",
                path=path,
            )
        ) from None
    except OSError as error:
        raise _folder_remedy(folder, error) from None


def _open_journal(settings: BoxSettings, *, is_damaged: bool) -> Journal:
    reason = "found while the box ran"
    if not is_damaged:
        try:
            return _begun(settings)
        except StoreDamagedError as error:
            reason = str(error)
    aside = set_aside(settings.data / JOURNAL_FILE)
    log.error("journal damaged, a new one begins", aside=str(aside), reason=reason)
    return _begun(settings)


def _begun(settings: BoxSettings) -> Journal:
    """Open the journal, and say in it what damaged ones leave.

    A file may be damaged where only writing finds it, so that this, too, is a part of the look.
    """
    path = settings.data / JOURNAL_FILE
    check_journal(path)
    names = (settings.company, settings.site, settings.box)
    boot = timeline_id(os.urandom(16))
    journal = open_journal(path, names, entropy=os.urandom(48), boot=boot)
    try:
        journal.witness = Witness(path.with_name(WITNESS_FILE))
        gaps = adopt_wrecks(journal, settings.data)
        if gaps:
            at = make_clock(parse_memory(journal.clock_memory)).now()
            journal.append([Entry(gap, at) for gap in gaps], dict.fromkeys(journal.kept_damaged))
    except BaseException:
        journal.close()
        raise
    return journal


def _open_learned(folder: Path) -> LearnedStore:
    path = folder / LEARNED_FILE
    try:
        return LearnedStore(path)
    except StoreDamagedError as error:
        reason = str(error)
    aside = _set_learned_aside(path)
    log.error("learned anew from headquarters", aside=str(aside), reason=reason)
    return LearnedStore(path)


def _set_learned_aside(path: Path) -> Path:
    """Rename a damaged store and what belongs to it; nothing is deleted."""
    free = (path.with_name(f"{path.stem}-damaged-{i}.db") for i in range(1, ASIDE_COUNT_MAX))
    aside = next((place for place in free if not place.exists()), None)
    if aside is None:
        raise StoreFaultError("too many damaged stores lie in the data folder")
    for suffix in ("-wal", "-shm", ""):
        part = path.with_name(path.name + suffix)
        if part.exists():
            part.rename(aside.with_name(aside.name + suffix))
    sync_folder(path.parent)
    return aside


def _folder_remedy(folder: Path, error: OSError) -> RemedyError:
    if error.errno in {errno.ENOSPC, errno.EDQUOT}:
        return _store_remedy(folder, StoreFullError(str(error)))
    return _store_remedy(folder, StoreReadOnlyError(error.strerror or str(error)))


def _store_remedy(folder: Path, error: StoreError) -> RemedyError:
    if isinstance(error, StoreFullError):
        return RemedyError(
            say("data folder {path}: no room left; free at least 2 MiB there.", path=folder)
        )
    if isinstance(error, StoreReadOnlyError):
        return RemedyError(
            say(
                "data folder {path} cannot be written ({why}); make it writable for this user "
                "or choose another folder as “data”.",
                path=folder,
                why=error,
            )
        )
    return RemedyError(
        say(
            "data folder {path}: the card reports a fault ({why}); replace the card, "
            "and keep the old one for its records.",
            path=folder,
            why=error,
        )
    )
