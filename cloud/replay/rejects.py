"""The rows that could not be read: the first for the eye, all of them for a file."""

import csv
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Final, Self, TextIO

from agreed.words import RemedyError, say
from cloud.replay.rows import Unreadable

SHOWN_MAX: Final = 20


class Rejects:
    """Keep the first unreadable rows and write each to a file, if one is wanted."""

    def __init__(self, path: Path | None) -> None:
        """Name the file; None for none."""
        self.shown: list[Unreadable] = []
        self.count = 0
        self._path = path
        self._exits = ExitStack()
        self._file: TextIO | None = None

    def __enter__(self) -> Self:
        """Begin the file anew.

        Raises:
            RemedyError: it cannot be written.
        """
        if self._path is not None:
            try:
                self._file = self._exits.enter_context(
                    self._path.open("w", encoding="utf-8-sig", newline="")
                )
            except OSError as error:
                raise RemedyError(
                    say(
                        "{file} cannot be written: {problem}; check path and permissions.",
                        file=self._path,
                        problem=error.strerror or error,
                    )
                ) from None
            csv.writer(self._file).writerow(["line", "reason"])
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close the file."""
        self._exits.close()

    def add(self, row: Unreadable) -> None:
        """Take in one unreadable row."""
        self.count += 1
        if len(self.shown) < SHOWN_MAX:
            self.shown.append(row)
        if self._file is not None:
            csv.writer(self._file).writerow([row.line, row.reason])
