"""What the promises of a log come to, by the same check that pays, without a store."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from agreed.checks import count_verdicts, judge
from agreed.promises import Facts, Match, Promise, PromiseError, Verdict, to_terms
from agreed.words import RemedyError, say
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


def to_promise(made: CasePromise) -> Promise | None:
    """Give the promise as headquarters keeps it; None where nothing was promised.

    Raises:
        RemedyError: it cannot be one.
    """
    if made.promised_at_ms is None:
        return None
    try:
        return Promise(
            order=made.case,
            node=made.rule.name,
            worker=made.worker,
            node_kind=made.rule.node_kind,
            match=Match.BY_ORDER,
            opens_at_ms=min(made.first_at_ms, made.promised_at_ms),
            promised_at_ms=made.promised_at_ms,
            tolerance_ms=made.rule.tolerance,
            hard_ms=made.rule.hard_limit,
            weight=made.rule.weight,
            is_critical=made.rule.is_critical,
        )
    except PromiseError as error:
        raise RemedyError(
            say(
                "Promise {name} of case {case}: {problem}; correct the mapping.",
                name=made.rule.name,
                case=made.case,
                problem=error,
            )
        ) from None


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
    return {name: _counts(promises, bound_ms) for name, promises in by_rule.items()}


def _counts(made: list[CasePromise], bound_ms: int) -> Counts:
    pairs = [(case, promise) for case in made if (promise := to_promise(case))]
    facts = [case.fact for case, _ in pairs]
    verdicts = count_verdicts(
        judge(
            to_terms([promise for _, promise in pairs]),
            Facts(
                np.array([fact.at_ms if fact else 0 for fact in facts], np.int64),
                np.full(len(facts), bound_ms, np.int64),
                np.array([fact is not None for fact in facts], np.bool_),
                np.zeros(len(facts), np.int64),
            ),
        ).verdict
    )
    return Counts(
        kept=verdicts[Verdict.KEPT],
        late=verdicts[Verdict.LATE],
        missed=verdicts[Verdict.MISSED],
        undecidable=verdicts[Verdict.UNDECIDABLE],
        open=verdicts[Verdict.OPEN],
        not_promised=len(made) - len(pairs),
    )
