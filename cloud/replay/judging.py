"""What the promises of a log come to, by the same check that pays, without a store."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from agreed.checks import count_verdicts, judge
from agreed.promises import Facts, Terms, Verdict
from cloud.replay.cases import CasePromise
from cloud.replay.mapping import PromiseRule


@dataclass(frozen=True, slots=True)
class Counts:
    """The promises of one name by what became of them.

    Attributes:
        not_promised: cases for which the log names no promised time.
    """

    kept: int = 0
    late: int = 0
    missed: int = 0
    undecidable: int = 0
    open: int = 0
    not_promised: int = 0

    @property
    def judged(self) -> int:
        """Count those with a certain verdict."""
        return self.kept + self.late + self.missed


def count(
    made: Iterable[CasePromise], rules: list[PromiseRule], bound_ms: int
) -> dict[str, Counts]:
    """Judge and count; a fact that cannot be known leaves its promise open.

    Args:
        made: promises of cases, in any order.
        rules: of the mapping; each is a key of the result.
        bound_ms: every time may be off by this much.
    """
    by_rule: dict[str, list[CasePromise]] = {rule.name: [] for rule in rules}
    for promise in made:
        by_rule[promise.rule.name].append(promise)
    return {rule.name: _counts(by_rule[rule.name], rule, bound_ms) for rule in rules}


def _counts(made: list[CasePromise], rule: PromiseRule, bound_ms: int) -> Counts:
    promised = [m for m in made if m.promised_at_ms is not None]
    nothing = np.zeros(len(promised), np.int64)
    terms = Terms(
        np.array([m.promised_at_ms for m in promised], np.int64),
        nothing + rule.tolerance,
        nothing + rule.hard_limit,
        nothing,
        nothing,
    )
    facts = Facts(
        np.array([m.fact.at_ms if m.fact else 0 for m in promised], np.int64),
        nothing + bound_ms,
        np.array([m.fact is not None for m in promised], np.bool_),
        nothing,
    )
    verdicts = count_verdicts(judge(terms, facts).verdict)
    return Counts(
        kept=verdicts[Verdict.KEPT],
        late=verdicts[Verdict.LATE],
        missed=verdicts[Verdict.MISSED],
        undecidable=verdicts[Verdict.UNDECIDABLE],
        open=verdicts[Verdict.OPEN],
        not_promised=len(made) - len(promised),
    )
