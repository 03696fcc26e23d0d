"""Judges a campaign from outside: what kiosks heard, the box's file and headquarters' file."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from simulators.evidence import JournalFile, RecordRow, Store, is_chained

Key = tuple[str, str, str]
"""Kiosk, order and kind of record."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a campaign found, in records.

    Attributes:
        accepted: said good to.
        journaled: in the box's file.
        stored: at headquarters.
        lost_accepted: said good to, but not at headquarters.
        lost_journaled: in the box's file, but not at headquarters.
        duplicated: more often at headquarters than they went over a wire, or stored twice.
        strange: at headquarters, but not as in the box's file.
        is_chained: both files hold one unbroken chain.
    """

    accepted: int
    journaled: int
    stored: int
    lost_accepted: int
    lost_journaled: int
    duplicated: int
    strange: int
    is_chained: bool

    @property
    def is_clean(self) -> bool:
        """Whether nothing is lost, doubled or strange, and something happened at all."""
        faults = self.lost_accepted + self.lost_journaled + self.duplicated + self.strange
        return self.is_chained and faults == 0 and self.accepted > 0

    def as_dict(self) -> dict[str, Any]:
        """Give it for a report."""
        return asdict(self) | {"is_clean": self.is_clean}


def judge(
    accepted: Mapping[Key, int], crossed: Mapping[Key, int], journal: JournalFile, store: Store
) -> Verdict:
    """Compare what kiosks know with what lies on both disks."""
    seen = Counter(key for row in store.records if (key := _key(row))[1])
    journaled = {place for data in journal.blocks for place in _places(data)}
    stored = Counter(row.identity for row in store.records)
    sent = {_head(data): data for data in journal.blocks}
    lost = sum(max(0, count - seen[key]) for key, count in accepted.items())
    doubled = sum(max(0, count - crossed.get(key, 0)) for key, count in seen.items())
    doubled += sum(count - 1 for count in stored.values())
    strange = len(stored.keys() - journaled)
    strange += sum(sent.get(_head(data)) != data for data in store.blocks.values())
    return Verdict(
        accepted=sum(accepted.values()),
        journaled=len(journaled),
        stored=len(stored),
        lost_accepted=lost,
        lost_journaled=len(journaled - stored.keys()),
        duplicated=doubled,
        strange=strange,
        is_chained=is_chained(journal.blocks) and is_chained(list(store.blocks.values())),
    )


def _key(row: RecordRow) -> Key:
    return row.device, row.reference, row.node_kind


def _head(data: bytes) -> tuple[str, int]:
    return data[4:20].hex(), int.from_bytes(data[36:44], "little")


def _places(data: bytes) -> list[tuple[str, int]]:
    epoch, first = _head(data)
    return [(epoch, first + i) for i in range(int.from_bytes(data[44:48], "little"))]
