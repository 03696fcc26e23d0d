"""Pages of an SQLite file and of its write-ahead log, and rows found on them without their tree.

Source: the SQLite file format, https://www.sqlite.org/fileformat2.html.
"""

import os
import struct
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Final

PAGE_SIZES: Final = (1_024, 4_096)
"""Of journals of ours: new ones have small pages, early ones SQLite's own."""

_LOG_HEAD_BYTES: Final = 32
_FRAME: Final = struct.Struct(">II8sII")
"""Of the log: page number, size of the file after a commit or 0, salts, checksums."""

_READ_BYTES: Final = 256 * 1024
_DIGEST_SERIAL: Final = 32 * 2 + 12
_DIGESTS_BYTES: Final = 64


class Pages:
    """The pages of a file, as it is and as its log makes it.

    An image is a page where it lies: page number for the file, minus frame number for the log.
    """

    def __init__(self, path: Path, size: int) -> None:
        """Open a file that may be damaged or missing, with its log.

        Raises:
            OSError: it is there and cannot be read.
        """
        self.size = size
        self._file = _open(path)
        self._log = _open(path.with_name(path.name + "-wal"))
        self._frames: list[int] = []
        self._newest: dict[int, int] = {}
        self._read_log()

    def marks(self, mark: bytes) -> Iterator[tuple[int, int]]:
        """Find a mark on all pages: image and offset of each."""
        yield from self._marks_of_file(mark)
        for frame in self._frames:
            page = self.image(-frame)
            at = page.find(mark)
            while at >= 0:
                yield -frame, at
                at = page.find(mark, at + 1)

    def image(self, image: int) -> bytes:
        """Read one image; short or empty where there is none."""
        if image > 0:
            return _read(self._file, (image - 1) * self.size, self.size)
        offset = _LOG_HEAD_BYTES + (-image - 1) * (_FRAME.size + self.size) + _FRAME.size
        return _read(self._log, offset, self.size)

    def page(self, number: int, *, with_log: bool) -> bytes:
        """Read a page as the log makes it, or as it lies in the file."""
        frame = self._newest.get(number) if with_log else None
        return self.image(number if frame is None else -frame)

    def close(self) -> None:
        """Give the files back."""
        for descriptor in (self._file, self._log):
            if descriptor is not None:
                os.close(descriptor)

    def _marks_of_file(self, mark: bytes) -> Iterator[tuple[int, int]]:
        start = 0
        while chunk := _read(self._file, start, _READ_BYTES):
            at = chunk.find(mark)
            while at >= 0:
                page, offset = divmod(start + at, self.size)
                yield page + 1, offset
                at = chunk.find(mark, at + 1)
            start += len(chunk)

    def _read_log(self) -> None:
        """Take the frames of the log's newest generation, through the last commit in it.

        Checksums are not looked at: they stop at the first bad frame, and blocks prove themselves.
        """
        step = _FRAME.size + self.size
        frames: list[tuple[int, int, bytes]] = []
        log_bytes = 0 if self._log is None else os.fstat(self._log).st_size
        for start in range(_LOG_HEAD_BYTES, log_bytes - step + 1, step):
            page, after_commit, salts, *_sums = _FRAME.unpack(_read(self._log, start, _FRAME.size))
            frames.append((page, after_commit, salts))
        salts = _read(self._log, 16, 8)
        known = [frame[2] for frame in frames if any(frame[2])]
        if salts not in known and known:
            # The head of the log is gone; its newest generation stands at its beginning.
            salts = Counter(known[:8]).most_common(1)[0][0]
        ours = [(i, frame) for i, frame in enumerate(frames, 1) if frame[2] == salts]
        commits = [i for i, (_page, after_commit, _salts) in ours if after_commit]
        for i, (page, _after_commit, _salts) in ours:
            if commits and i <= commits[-1]:
                self._frames.append(i)
                self._newest[page] = i


def long_value(
    pages: Pages, image: int, at: int, bytes_max: int, *, with_log: bool
) -> bytes | None:
    """Read a blob that begins at an offset of a leaf page, as its row says how long it is.

    The row is one of the journal's blocks: the number of the row itself (which is not stored
    again), a count, two digests, the blob, and perhaps more.

    Returns:
        The blob; None if no such row can be made out.
    """
    page = pages.image(image)
    for head_bytes in range(6, 16):
        for count_bytes in range(4):
            start = at - _DIGESTS_BYTES - count_bytes - head_bytes
            if start < 0 or page[start] != head_bytes:
                continue
            serials = _varints(page[start + 1 : start + head_bytes])
            if _is_row_of_block(serials, count_bytes):
                row_bytes = head_bytes + sum(map(_bytes_of, serials))
                blob_bytes = _bytes_of(serials[4])
                skip = at - start
                if blob_bytes <= bytes_max and row_bytes <= 2 * bytes_max:
                    row = _row(pages, page, start, row_bytes, with_log=with_log)
                    return row[skip : skip + blob_bytes]
    return None


def _is_row_of_block(serials: list[int], count_bytes: int) -> bool:
    if len(serials) < 5:
        return False
    number, count, previous, own, blob = serials[:5]
    return (
        number == 0
        and previous == own == _DIGEST_SERIAL
        and blob >= 12
        and blob % 2 == 0
        and _bytes_of(count) == count_bytes
    )


def _row(pages: Pages, page: bytes, start: int, row_bytes: int, *, with_log: bool) -> bytes:
    """Put a row together from its leaf page and the pages that it goes on to."""
    local_bytes = _local_bytes(row_bytes, pages.size)
    parts = [page[start : start + local_bytes]]
    rest = row_bytes - local_bytes
    next_at = page[start + local_bytes : start + local_bytes + 4]
    while rest > 0 and len(next_at) == 4:
        further = pages.page(int.from_bytes(next_at, "big"), with_log=with_log)
        if len(further) < pages.size:
            break
        parts.append(further[4 : 4 + min(rest, pages.size - 4)])
        rest -= pages.size - 4
        next_at = further[:4]
    return b"".join(parts)


def _local_bytes(row_bytes: int, size: int) -> int:
    """Say how much of a row stands on its leaf page."""
    most = size - 35
    if row_bytes <= most:
        return row_bytes
    least = (size - 12) * 32 // 255 - 23
    local = least + (row_bytes - least) % (size - 4)
    return local if local <= most else least


def _varints(data: bytes) -> list[int]:
    values, value = [], 0
    for byte in data:
        value = value << 7 | byte & 0x7F
        if byte < 0x80:
            values.append(value)
            value = 0
    return values


def _bytes_of(serial: int) -> int:
    """Give the length of a value from its serial type."""
    if serial >= 12:
        return (serial - 12) // 2
    return (0, 1, 2, 3, 4, 6, 8, 8, 0, 0, 0, 0)[serial]


def _open(path: Path) -> int | None:
    try:
        return os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return None


def _read(descriptor: int | None, offset: int, size: int) -> bytes:
    return b"" if descriptor is None or offset < 0 else os.pread(descriptor, size, offset)
