"""The data folder of one headquarters: what lies where, and who may use it."""

import fcntl
import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final

from pydantic import BaseModel, ConfigDict, ValidationError
from sqlalchemy.exc import DBAPIError

from agreed.words import RemedyError, say
from cloud.database.engine import sqlite_url
from cloud.passwords import kept_secret

_FULL: Final = ("disk is full", "no space left", "disk quota", "disk i/o error")
_READ_ONLY: Final = ("readonly database", "read-only", "unable to open database")


class Kept(BaseModel):
    """What the commands beside `run` must know.

    Attributes:
        database: URL of the store.
        company: the company that is served.
        mqtt_url: where boxes reach the broker, without user and password.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    database: str
    company: str
    mqtt_url: str


class Running(BaseModel):
    """What scripts read while headquarters runs: `run.json`.

    Attributes:
        api_url: the pages; the interface is below it at /api/v1.
        mqtt_url: the broker.
        broker_pid: None while the broker is not ours or not there.
        pid: of headquarters.
    """

    api_url: str
    mqtt_url: str
    broker_pid: int | None
    pid: int


@dataclass(frozen=True, slots=True)
class Folder:
    """The places in a data folder."""

    path: Path

    @property
    def broker(self) -> Path:
        """Settings, log and store of the broker."""
        return self.path / "broker"

    @property
    def default_database(self) -> str:
        """URL of the SQLite store."""
        return sqlite_url(self.path / "headquarters.db")

    def secret(self) -> str:
        """Read the secret that the broker's passwords derive from."""
        return kept_secret(self.path / "secret")

    def token(self) -> str:
        """Read the token that lets a program write."""
        return kept_secret(self.path / "token")

    def prepare(self) -> IO[str]:
        """Make the folder, and hold it for this process alone until the file is closed.

        Raises:
            RemedyError: it cannot be used, or another headquarters runs in it.
        """
        try:
            self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
            self.broker.mkdir(mode=0o700, exist_ok=True)
            lock = (self.path / "lock").open("a")
            self.secret()
            self.token()
            _write(self.path / "probe", "written\n")
            (self.path / "probe").unlink()
        except OSError as error:
            raise unusable(self.path, error) from None
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            lock.close()
            raise RemedyError(
                say(
                    "Another headquarters runs in {path}; stop it or choose another with --data.",
                    path=self.path,
                )
            ) from None
        return lock

    def keep(self, kept: Kept) -> None:
        """Remember how headquarters was started."""
        _write(self.path / "settings.json", kept.model_dump_json(indent=1) + "\n")

    def kept(self) -> Kept:
        """Read how headquarters was started.

        Raises:
            RemedyError: it never was.
        """
        try:
            return Kept.model_validate_json((self.path / "settings.json").read_text())
        except (OSError, ValidationError):
            raise RemedyError(
                say(
                    "There is no headquarters in {path}; "
                    "start it once with “duifu cloud run --data {path}”.",
                    path=self.path,
                )
            ) from None

    def announce(self, running: Running) -> None:
        """Tell scripts where headquarters is."""
        _write(self.path / "run.json", json.dumps(running.model_dump(), indent=1) + "\n")

    def withdraw(self) -> None:
        """Tell scripts that headquarters has stopped."""
        (self.path / "run.json").unlink(missing_ok=True)


def unusable(path: Path, error: OSError) -> RemedyError:
    """Say why a folder cannot be used, and what to do."""
    return RemedyError(
        say(
            "The data folder {path} cannot be used ({why}); "
            "free space, correct its rights or choose another with --data.",
            path=path,
            why=error.strerror or str(error),
        )
    )


def store_trouble(path: Path, error: DBAPIError) -> RemedyError | None:
    """Say what a person can do about a store that fails; None if it is a fault of ours."""
    text = str(error.orig).lower()
    if any(sign in text for sign in _FULL):
        sentence = say(
            "The store is full ({why}); free space in {path} and start again: "
            "boxes keep what was not committed.",
            path=path,
            why=error.orig,
        )
    elif any(sign in text for sign in _READ_ONLY):
        sentence = say(
            "The store cannot be written ({why}); correct the rights of {path}.",
            path=path,
            why=error.orig,
        )
    elif "connection" in text or "could not" in text:
        sentence = say(
            "The database does not answer ({why}); check --database and the server.",
            why=str(error.orig).strip().splitlines()[0],
        )
    else:
        return None
    return RemedyError(sentence)


def _write(path: Path, text: str) -> None:
    """Replace a file whole; only this user may read it."""
    fresh = path.with_suffix(".new")
    handle = os.open(fresh, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "w") as file:
        file.write(text)
    fresh.replace(path)
