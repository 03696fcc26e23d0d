"""The only file of this room that opens logs: bounded, and the same whether gzipped or not."""

import gzip
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from io import BufferedReader
from pathlib import Path
from typing import Final

from agreed.words import RemedyError, say
from cloud.replay.rows import LINE_BYTES_MAX, Line

_CHUNK_BYTES: Final = 1 << 20
_GZIP_MAGIC: Final = b"\x1f\x8b"
_ZIP_MAGIC: Final = b"PK\x03\x04"


@dataclass(frozen=True, slots=True)
class LogFile:
    """A log that was read once from end to end.

    Attributes:
        path: where it is.
        is_gzip: by its first bytes, not by its name.
        size_bytes: of the text, decompressed.
        digest: SHA-256 of the text: the same log has the same, gzipped or not.
    """

    path: Path
    is_gzip: bool
    size_bytes: int
    digest: bytes


def read_small(path: Path, size_bytes_max: int) -> bytes:
    """Read a whole file that must be small.

    Raises:
        RemedyError: it cannot be read, or is too large.
    """
    with _remedied(path), path.open("rb") as file:
        data = file.read(size_bytes_max + 1)
    if len(data) > size_bytes_max:
        raise RemedyError(
            say(
                "{file} is too large for a mapping: give the mapping first, then the log.",
                file=path,
            )
        )
    return data


def inspect_log(path: Path, read_so_far: Callable[[int], None]) -> LogFile:
    """Read a log once, so that nothing of a broken one is ever stored.

    Args:
        path: the log.
        read_so_far: told the number of bytes read, now and then.

    Raises:
        RemedyError: absent, a folder, no right to read, empty, not text, or damaged gzip.
    """
    with _remedied(path):
        if path.is_fifo() or path.is_char_device():
            raise RemedyError(
                say("{file} is no ordinary file: save the log first, it is read twice.", file=path)
            )
        with path.open("rb") as file:
            start = file.read(4)
        is_gzip = start.startswith(_GZIP_MAGIC)
        if start == _ZIP_MAGIC:
            raise RemedyError(say("{file} is a ZIP or Excel file: save the log as CSV.", file=path))
        digest, size_bytes = sha256(), 0
        with _open(path, is_gzip=is_gzip) as file:
            while chunk := file.read(_CHUNK_BYTES):
                digest.update(chunk)
                size_bytes += len(chunk)
                read_so_far(size_bytes)
    if size_bytes == 0:
        raise RemedyError(
            say("{file} is empty: give a log with a header line and rows.", file=path)
        )
    return LogFile(path, is_gzip, size_bytes, digest.digest())


def read_lines(log: LogFile) -> Iterator[Line]:
    """Give the lines of a log, numbered from 1; what is beyond LINE_BYTES_MAX is dropped.

    Raises:
        RemedyError: the file changed since it was inspected.
    """
    with _remedied(log.path), _open(log.path, is_gzip=log.is_gzip) as file:
        number = 0
        while data := file.readline(LINE_BYTES_MAX + 1):
            number += 1
            is_cut = len(data) > LINE_BYTES_MAX
            size_bytes = len(data)
            while is_cut and not data.endswith(b"\n"):
                data = file.readline(_CHUNK_BYTES)
                size_bytes += len(data)
                if not data:
                    break
            yield Line(number, b"" if is_cut else data, size_bytes, is_cut=is_cut)


def _open(path: Path, *, is_gzip: bool) -> BufferedReader | gzip.GzipFile:
    return gzip.open(path, "rb") if is_gzip else path.open("rb")


@contextmanager
def _remedied(path: Path) -> Iterator[None]:
    try:
        yield
    except FileNotFoundError:
        raise RemedyError(say("{file} does not exist: check the path.", file=path)) from None
    except IsADirectoryError:
        raise RemedyError(say("{file} is a folder: give the file itself.", file=path)) from None
    except (EOFError, zlib.error, gzip.BadGzipFile):
        raise RemedyError(
            say("{file} is a damaged or unfinished gzip file: copy it again.", file=path)
        ) from None
    except OSError as error:
        raise RemedyError(
            say(
                "{file} cannot be read: {problem}; check path and permissions.",
                file=path,
                problem=error.strerror or error,
            )
        ) from None
