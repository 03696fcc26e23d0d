"""What the judge is given and what it finds."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from simulators.evidence import JournalFile, Store
from simulators.truth import Deed

_EXAMPLES_MAX: Final = 5


@dataclass(frozen=True, slots=True)
class Scene:
    """Everything that is held against each other.

    Attributes:
        deeds: what really happened, in order of time.
        journal: the box's file.
        store: headquarters' file.
        doors_opened: compartments, once for each time that a door opened for the box.
        latency_ms: ms of the simulated day by which a record's time may follow its deed.
        is_box_steady: the box was not killed: then verdicts must follow from the deeds, too.
        promises_count: how many were agreed; None if nobody counted.
        ended: programs that ended by themselves.
    """

    deeds: list[Deed]
    journal: JournalFile
    store: Store
    doors_opened: Sequence[int]
    latency_ms: int
    is_box_steady: bool = True
    promises_count: int | None = None
    ended: tuple[str, ...] = ()


@dataclass(slots=True)
class Findings:
    """What the judge found; every fault is a sentence in `faults`.

    Attributes:
        records_emitted: deeds at devices.
        records_journaled: records in the box's file.
        records_committed: records at headquarters.
        records_lost: deeds and journaled records that headquarters does not hold.
        records_duplicated: records beyond one for each deed and each number of the journal.
        promises: by verdict, as headquarters has them.
        promises_wrong: verdicts that do not follow from the records, or not from the deeds.
        promises_near: verdicts for which the allowance leaves more than one answer.
        commission_fen: posted to workers.
        commission_expected_fen: worked out a second time from the records.
        earned_fen: by worker.
        is_balanced: every posting has its line, every line its posting, every account its sum.
        is_chained: every block of the journal continues the one before, and all are stored.
    """

    records_emitted: int = 0
    records_journaled: int = 0
    records_committed: int = 0
    records_lost: int = 0
    records_duplicated: int = 0
    promises: dict[str, int] = field(default_factory=dict)
    promises_wrong: int = 0
    promises_near: int = 0
    commission_fen: int = 0
    commission_expected_fen: int = 0
    earned_fen: dict[str, int] = field(default_factory=dict)
    is_balanced: bool = True
    is_chained: bool = True
    faults: list[str] = field(default_factory=list)

    @property
    def is_good(self) -> bool:
        """Whether nothing at all is wrong."""
        return not self.faults

    def blame(self, what: str, examples: Sequence[Any]) -> None:
        """Note a fault with the first few things that show it; none, if there are none."""
        if not examples:
            return
        shown = ", ".join(str(example) for example in examples[:_EXAMPLES_MAX])
        self.faults.append(f"{len(examples)} {what}: {shown}")
