"""What was promised, watched on the box itself: shown at headquarters, never paid from."""

from collections import deque
from collections.abc import Iterable
from typing import Final

from agreed.directives import Directive, EndOrder, PutOrder
from agreed.promises import NO_CLOCK
from agreed.records import ClockState, Record, to_columns
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
        self._records: deque[Record] = deque(maxlen=WAITING_RECORDS_MAX)
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

    def journaled(self, records: Iterable[Record]) -> None:
        """Look at these with the next tick."""
        self._records.extend(records)

    def tick(self, now: Stamp) -> None:
        """Advance to now."""
        while self._directives:
            self._take_in(self._directives.popleft())
        bound_ms = NO_CLOCK if now.clock_state is ClockState.UNSET else now.bound_ms
        records = [self._records.popleft() for _ in range(len(self._records))]
        for run in _consecutive(records):
            self._promises.tick(to_columns(run), now.wall_ms, bound_ms)
        if not records:
            self._promises.tick(None, now.wall_ms, bound_ms)
        self.at_risk = self._promises.at_risk()
        counts = self._promises.counts()
        self.counts = {verdict.name.lower(): count for verdict, count in counts.items()}

    def _take_in(self, directive: Directive | None) -> None:
        if directive is None:
            self._promises = OpenPromises()
        elif isinstance(directive, PutOrder):
            self._promises.put(directive.promises())
        elif isinstance(directive, EndOrder):
            self._promises.end(directive.order)


def _consecutive(records: list[Record]) -> list[list[Record]]:
    runs: list[list[Record]] = []
    for record in records:
        if runs and runs[-1][-1].sequence + 1 == record.sequence:
            runs[-1].append(record)
        else:
            runs.append([record])
    return runs
