"""What was promised, watched on the box itself: shown at headquarters, never paid from."""

from collections import deque
from collections.abc import Iterable
from threading import Lock
from typing import Final

from agreed.directives import Directive, EndOrder, PutOrder
from agreed.promises import NO_CLOCK
from agreed.records import ClockState, RecordColumns, join_columns
from agreed.tick import OpenPromises
from edge.clock import Stamp

WAITING_RECORDS_MAX: Final = 20_000
"""Records not yet looked at; beyond it the oldest are skipped, for this is only shown."""

WAITING_DIRECTIVES_MAX: Final = 2_000
"""Directives not yet looked at; beyond it the box learns no more for a moment."""


class Watch:
    """Open promises, advanced by what was journaled and by time.

    `tick` may run in another thread than the rest, one at a time.

    Attributes:
        counts: the promises by the name of their verdict, as of the last tick.
        at_risk: the open promises that need help, as of the last tick.
    """

    def __init__(self) -> None:
        self.counts: dict[str, int] = {}
        self.at_risk = 0
        self._promises = OpenPromises()
        self._runs: deque[RecordColumns] = deque()
        self._waiting_count = 0
        self._lock = Lock()
        self._directives: deque[Directive | None] = deque()

    @property
    def is_behind(self) -> bool:
        """Whether more is to be learned than is good; wait for a tick."""
        return len(self._directives) >= WAITING_DIRECTIVES_MAX

    def learn(self, directives: Iterable[Directive]) -> None:
        """Take in, with the next tick, what is promised now."""
        self._directives.extend(d for d in directives if isinstance(d, PutOrder | EndOrder))

    def forget_all(self) -> None:
        """Begin anew with the next tick, because headquarters did."""
        self._directives.append(None)

    def journaled(self, runs: Iterable[RecordColumns]) -> None:
        """Look at these with the next tick."""
        with self._lock:
            for run in runs:
                self._runs.append(run)
                self._waiting_count += len(run)
            while self._waiting_count > WAITING_RECORDS_MAX and len(self._runs) > 1:
                self._waiting_count -= len(self._runs.popleft())

    def tick(self, now: Stamp) -> None:
        """Advance to now."""
        while self._directives:
            self._take_in(self._directives.popleft())
        bound_ms = NO_CLOCK if now.clock_state is ClockState.UNSET else now.bound_ms
        for run in _consecutive(self._take_runs()) or (None,):
            self._promises.tick(run, now.wall_ms, bound_ms)
        self.at_risk = self._promises.at_risk()
        counts = self._promises.counts()
        self.counts = {verdict.name.lower(): count for verdict, count in counts.items()}

    def _take_runs(self) -> list[RecordColumns]:
        with self._lock:
            runs = list(self._runs)
            self._runs.clear()
            self._waiting_count = 0
        return runs

    def _take_in(self, directive: Directive | None) -> None:
        if directive is None:
            self._promises = OpenPromises()
        elif isinstance(directive, PutOrder):
            self._promises.put(directive.promises())
        elif isinstance(directive, EndOrder):
            self._promises.end([directive.order])


def _consecutive(runs: list[RecordColumns]) -> list[RecordColumns]:
    """Put together what continues: one tick is dearer than many records."""
    grown: list[list[RecordColumns]] = []
    for run in runs:
        if grown and grown[-1][-1].last_sequence + 1 == run.first_sequence:
            grown[-1].append(run)
        else:
            grown.append([run])
    return [join_columns(parts) for parts in grown]
