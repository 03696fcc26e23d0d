"""One pass over a log: events to whoever wants them, the rest to the list of rejects."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from cloud.replay.cases import Cases
from cloud.replay.events import Event
from cloud.replay.mapping import Mapping
from cloud.replay.rejects import Rejects
from cloud.replay.rows import Unreadable


@dataclass(frozen=True, slots=True)
class Passed:
    """What one pass over a log found."""

    rows_read: int
    cases: Cases


def pass_over(
    rows: Iterable[Event | Unreadable],
    mapping: Mapping,
    rejects: Rejects,
    take: Callable[[Event], None],
) -> Passed:
    """Hand every readable row to `take`, in order, and remember its case."""
    rows_read, cases = 0, Cases(mapping)
    for row in rows:
        problem = row if isinstance(row, Unreadable) else cases.add(row)
        if problem is None:
            assert isinstance(row, Event)
            rows_read += 1
            take(row)
        else:
            rejects.add(problem)
            cases.add_unreadable(problem)
    return Passed(rows_read, cases)
