"""Events to cases: what each promised, and which fact answers it."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from agreed.words import say
from cloud.replay.events import Event, Said
from cloud.replay.mapping import Mapping, Place, PromiseRule, Source
from cloud.replay.rows import Unreadable


@dataclass(frozen=True, slots=True)
class Fact:
    """When a promised node really happened, and the line that says so.

    Attributes:
        at_ms: ms since the epoch.
        line: in the file.
        actor: who did it; "" if a column says it, or nobody is named.
    """

    at_ms: int
    line: int
    actor: str


@dataclass(frozen=True, slots=True)
class CasePromise:
    """One promise of one case, as far as the log tells.

    Attributes:
        case: the case.
        rule: what was promised.
        first_at_ms: when the case's first readable event happened.
        promised_at_ms: None when the log names no promised time: then nothing was promised.
        fact: None when it cannot be known: not missed, and not nothing.
        worker: who is paid; "" when nobody is named.
    """

    case: str
    rule: PromiseRule
    first_at_ms: int
    promised_at_ms: int | None
    fact: Fact | None
    worker: str


@dataclass(slots=True)
class _Case:
    first_at_ms: int
    said: list[tuple[Said, int]]
    chosen: dict[Source, Fact] = field(default_factory=dict)
    contradicted: set[int] = field(default_factory=set)


class Cases:
    """Everything that is remembered of a log while its rows pass by: a little per case."""

    def __init__(self, mapping: Mapping) -> None:
        """Start without a case."""
        self._rules = mapping.promise
        self._cases: dict[str, _Case] = {}
        self._damaged: set[str] = set()
        sources = [source for rule in self._rules for source in (rule.actual, rule.paid)]
        self._choices = list(dict.fromkeys(s for s in sources if s is not None and s.event))

    def __len__(self) -> int:
        """Count the cases with a readable event."""
        return len(self._cases)

    def names(self) -> list[str]:
        """List the cases, in order of their first lines."""
        return list(self._cases)

    def add(self, event: Event) -> Unreadable | None:
        """Take in an event.

        A row that contradicts its case is unreadable, and what it contradicts cannot be judged:
        which of the two rows is right would be a guess.
        """
        case = self._cases.get(event.case)
        if case is None:
            case = _Case(event.at_ms, [(said, event.line) for said in event.said])
            self._cases[event.case] = case
        else:
            problem = self._contradiction(case, event)
            if problem is not None:
                return Unreadable(event.line, problem, event.case)
            case.first_at_ms = min(case.first_at_ms, event.at_ms)
            for i, said in enumerate(event.said):
                if said != case.said[i][0]:
                    case.said[i] = _together(case.said[i], said, event.line)
        for source in self._choices:
            if source.step is None or source.step == event.step:
                _choose(case.chosen, source, event)
        return None

    def add_unreadable(self, row: Unreadable) -> None:
        """Remember that a case has a row nobody could read: its first and last are unknown."""
        if row.case is not None:
            self._damaged.add(row.case)

    def promises(self) -> Iterator[CasePromise]:
        """Give every promise of every case, in order of the cases' first lines."""
        for name, case in self._cases.items():
            for i, (rule, (said, line)) in enumerate(zip(self._rules, case.said, strict=True)):
                is_certain = i not in case.contradicted
                yield CasePromise(
                    name,
                    rule,
                    case.first_at_ms,
                    said.promised_ms,
                    self._fact(name, rule.actual, said, line) if is_certain else None,
                    self._worker(name, rule.paid, said),
                )

    def _contradiction(self, case: _Case, event: Event) -> str | None:
        problem = None
        for i, rule in enumerate(self._rules):
            (before, line), now = case.said[i], event.said[i]
            if now == before:
                continue
            pairs = (
                (rule.promised, before.promised_ms, now.promised_ms),
                (rule.actual.column, before.actual_ms, now.actual_ms),
                (rule.paid.column if rule.paid else None, before.paid, now.paid),
            )
            for column, old, new in pairs:
                if old is not None and new is not None and old != new:
                    case.contradicted.add(i)
                    problem = say("{column}: line {line} says otherwise", column=column, line=line)
        return problem

    def _fact(self, name: str, source: Source, said: Said, line: int) -> Fact | None:
        if source.column is not None:
            return None if said.actual_ms is None else Fact(said.actual_ms, line, "")
        return self._chosen(name, source)

    def _worker(self, name: str, source: Source | None, said: Said) -> str:
        if source is None:
            return ""
        if source.column is not None:
            return said.paid or ""
        fact = self._chosen(name, source)
        return fact.actor if fact else ""

    def _chosen(self, name: str, source: Source) -> Fact | None:
        return None if name in self._damaged else self._cases[name].chosen.get(source)


def _together(known: tuple[Said, int], now: Said, line: int) -> tuple[Said, int]:
    before, before_line = known
    return (
        Said(
            before.promised_ms if now.promised_ms is None else now.promised_ms,
            before.actual_ms if now.actual_ms is None else now.actual_ms,
            before.paid if now.paid is None else now.paid,
        ),
        before_line if now.actual_ms is None or before.actual_ms is not None else line,
    )


def _choose(chosen: dict[Source, Fact], source: Source, event: Event) -> None:
    held = chosen.get(source)
    if source.event is Place.FIRST:
        is_better = held is None or event.at_ms < held.at_ms
    else:
        # Of two events at one instant the later line is the last.
        is_better = held is None or event.at_ms >= held.at_ms
    if is_better:
        chosen[source] = Fact(event.at_ms, event.line, event.actor)
