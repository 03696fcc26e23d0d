"""A log from its first byte to its cases, in one pass."""

from collections.abc import Callable, Iterator

from agreed.words import RemedyError, say
from cloud.replay.events import Event, EventReader
from cloud.replay.files import LogFile, read_lines
from cloud.replay.mapping import Mapping
from cloud.replay.rows import Line, Row, Unreadable, split_rows


def read_events(
    log: LogFile, mapping: Mapping, read_so_far: Callable[[int], None]
) -> Iterator[Event | Unreadable]:
    """Give every row of a log as an event, or as what makes it unreadable; the header at once.

    Args:
        log: inspected before.
        mapping: what its columns mean.
        read_so_far: told the number of bytes read, with every line.

    Raises:
        RemedyError: no header, a column is missing, or the encoding is another.
    """
    rows = split_rows(_told(read_lines(log), read_so_far), mapping.file)
    header = next(rows, None)
    if not isinstance(header, Row):
        problem = header.reason if header else say("is blank")
        raise RemedyError(
            say(
                "{file}: the header line {problem}; is it a CSV file?",
                file=log.path,
                problem=problem,
            )
        )
    reader = EventReader(header, mapping)
    return (reader.read(row) if isinstance(row, Row) else row for row in rows)


def _told(lines: Iterator[Line], read_so_far: Callable[[int], None]) -> Iterator[Line]:
    size_bytes = 0
    for line in lines:
        size_bytes += line.size_bytes
        read_so_far(size_bytes)
        yield line
