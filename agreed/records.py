"""The record: one observation, journaled and numbered; the words of what can have happened."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from itertools import pairwise
from typing import Final

import numpy as np
import numpy.typing as npt

from agreed.limits import TEXT_BYTES_MAX, WALL_MS_MAX

Int64s = npt.NDArray[np.int64]
Int32s = npt.NDArray[np.int32]
Bytes8 = npt.NDArray[np.uint8]
Bools = npt.NDArray[np.bool_]

# Node kinds of the box itself. Packs and mappings may name further ones: the vocabulary is open.
GATE_PASSED: Final = "gate_passed"
GATE_REFUSED: Final = "gate_refused"
COMPARTMENT_OPENED: Final = "compartment_opened"
COMPARTMENT_STUCK: Final = "compartment_stuck"
PARCEL_DEPOSITED: Final = "parcel_deposited"
PARCEL_COLLECTED: Final = "parcel_collected"
TASK_STARTED: Final = "task_started"
TASK_FINISHED: Final = "task_finished"
CODE_REFUSED: Final = "code_refused"
DEVICE_LOST: Final = "device_lost"
DEVICE_BACK: Final = "device_back"
DEVICE_TAMPERED: Final = "device_tampered"
DEVICE_UNTAMPERED: Final = "device_untampered"
DEVICE_KEYED: Final = "device_keyed"
DEVICE_POWER: Final = "device_power"
DEVICE_CLASHED: Final = "device_clashed"
DEVICE_REFUSED: Final = "device_refused"
DEVICE_UNREADABLE: Final = "device_unreadable"
DEVICE_TESTED: Final = "device_tested"
EVENTS_MISSED: Final = "events_missed"
CARD_SEEN: Final = "card_seen"
DOOR_OPENED: Final = "door_opened"
DOOR_CLOSED: Final = "door_closed"
DOOR_FORCED: Final = "door_forced"
DOOR_HELD: Final = "door_held"
EXIT_PRESSED: Final = "exit_pressed"
STAFF_PRESENT: Final = "staff_present"
STAFF_LEFT: Final = "staff_left"
BEACON_SEEN: Final = "beacon_seen"
BEACON_GONE: Final = "beacon_gone"
BOX_STARTED: Final = "box_started"
BOX_ALIVE: Final = "box_alive"
GAP: Final = "gap"
CLOCK_ANCHOR: Final = "clock_anchor"  # its detail is an `agreed.anchors.Anchor`

OF_A_SERVICE: Final = frozenset(
    {
        GATE_PASSED,
        CARD_SEEN,
        COMPARTMENT_OPENED,
        PARCEL_DEPOSITED,
        PARCEL_COLLECTED,
        TASK_STARTED,
        TASK_FINISHED,
        STAFF_PRESENT,
        STAFF_LEFT,
        BEACON_SEEN,
        DOOR_OPENED,
        DOOR_CLOSED,
        EXIT_PRESSED,
    }
)
"""What people do in a service: what a box records that can prove a promised node."""

TEXT_COLUMNS: Final = ("device", "node_kind", "subject", "reference", "detail")

_FORBIDDEN: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")


class RecordError(ValueError):
    """A record does not hold what a record may hold; the message names the field."""


class ClockState(IntEnum):
    """What the box knew about its wall clock; the numbers are never reused."""

    UNSET = 0  # never set since boot: the bound is meaningless, verdicts are undecidable
    HOLDING = 1  # was set, runs free since; the bound grows
    SYNCED = 2  # disciplined by a time source now


class Evidence(IntEnum):
    """Who says so; the numbers are never reused."""

    DEVICE = 1  # a device on the wire
    KIOSK = 2  # a person at a kiosk, by code or card
    MANUAL = 3  # an imported or typed claim


class Durability(IntEnum):
    """How long a person may be kept waiting for the journal."""

    PASSAGE = 1  # acts at once, journaled beside it within the window
    CUSTODY = 2  # durable before the action: lockers, tasks, money
    TELEMETRY = 3  # nobody waits for it: journaled within a window of its own, refused first


@dataclass(frozen=True, slots=True)
class Record:
    """One journaled fact. Its identity is (box, journal epoch, sequence), never a time.

    Attributes:
        sequence: gapless within a journal epoch, from 1.
        mono_ns: boot-scoped monotonic clock, >= 0.
        wall_ms: estimated ms since the epoch, UTC.
        bound_ms: the true time lies within wall_ms ± bound_ms; meaningless when UNSET.
        clock_state: see `ClockState`.
        evidence: see `Evidence`.
        device: name of the device, "" for the box itself.
        node_kind: what happened.
        subject: pseudonymous id of who did it, "" if unknown.
        reference: the order it belongs to, "" if none.
        detail: compartment, reason, card; free text for a reader.
    """

    sequence: int
    mono_ns: int
    wall_ms: int
    bound_ms: int
    clock_state: ClockState
    evidence: Evidence
    device: str
    node_kind: str
    subject: str = ""
    reference: str = ""
    detail: str = ""


_UTF8_BYTES_MAX: Final = 4


def check_text(name: str, value: str) -> None:
    """Refuse text that a record may not carry.

    Raises:
        RecordError: longer than TEXT_BYTES_MAX UTF-8 bytes, or with control characters.
    """
    if _FORBIDDEN.search(value):
        raise RecordError(f"{name}: control characters are not allowed")
    if len(value) * _UTF8_BYTES_MAX > TEXT_BYTES_MAX < len(value.encode()):
        raise RecordError(f"{name}: longer than {TEXT_BYTES_MAX} bytes; shorten it")


@dataclass(frozen=True, slots=True)
class RecordColumns:
    """The records of one block as arrays, in sequence order.

    Attributes:
        first_sequence: sequence of row 0; row i has first_sequence + i.
        mono_ns: int64[n], ns, >= 0.
        wall_ms: int64[n], ms since the epoch, [0, WALL_MS_MAX].
        bound_ms: int64[n], ms, [0, WALL_MS_MAX].
        clock_state: uint8[n], `ClockState` values.
        evidence: uint8[n], `Evidence` values.
        texts: for each of TEXT_COLUMNS the distinct texts and int32[n] indices into them.
    """

    first_sequence: int
    mono_ns: Int64s
    wall_ms: Int64s
    bound_ms: Int64s
    clock_state: Bytes8
    evidence: Bytes8
    texts: dict[str, tuple[list[str], Int32s]]

    def __len__(self) -> int:
        """Count the records."""
        return len(self.mono_ns)

    @property
    def last_sequence(self) -> int:
        """Sequence of the last record; first_sequence - 1 when empty."""
        return self.first_sequence + len(self) - 1

    def text(self, name: str) -> list[str]:
        """Spell out one text column, a string per record."""
        distinct, index = self.texts[name]
        if len(distinct) == 1:
            return distinct * len(index)
        return [distinct[i] for i in index.tolist()]

    def part(self, start: int, stop: int) -> "RecordColumns":
        """Cut out the records start to stop - 1, counted from 0; at least one."""
        rows = slice(start, stop)
        return RecordColumns(
            self.first_sequence + start,
            self.mono_ns[rows],
            self.wall_ms[rows],
            self.bound_ms[rows],
            self.clock_state[rows],
            self.evidence[rows],
            {name: _used(distinct, index[rows]) for name, (distinct, index) in self.texts.items()},
        )


def to_columns(records: list[Record]) -> RecordColumns:
    """Turn consecutive records into arrays.

    Raises:
        RecordError: empty, sequences not consecutive, or a field out of its range.
    """
    if not records:
        raise RecordError("records: at least one is needed")
    first = records[0].sequence
    if first < 1 or any(r.sequence != first + i for i, r in enumerate(records)):
        raise RecordError("sequence: must be consecutive and start at 1 or more")
    return RecordColumns(
        first,
        _integers("mono_ns", [r.mono_ns for r in records], 2**62),
        _integers("wall_ms", [r.wall_ms for r in records], WALL_MS_MAX),
        _integers("bound_ms", [r.bound_ms for r in records], WALL_MS_MAX),
        np.array([r.clock_state for r in records], np.uint8),
        np.array([r.evidence for r in records], np.uint8),
        {name: _dictionary(name, [getattr(r, name) for r in records]) for name in TEXT_COLUMNS},
    )


def to_records(columns: RecordColumns) -> list[Record]:
    """Turn arrays back into records, the exact inverse of `to_columns`."""
    texts = zip(*(columns.text(name) for name in TEXT_COLUMNS), strict=True)
    rows = zip(
        columns.mono_ns.tolist(),
        columns.wall_ms.tolist(),
        columns.bound_ms.tolist(),
        columns.clock_state.tolist(),
        columns.evidence.tolist(),
        texts,
        strict=True,
    )
    return [
        Record(columns.first_sequence + i, mono, wall, bound, ClockState(state), Evidence(ev), *t)
        for i, (mono, wall, bound, state, ev, t) in enumerate(rows)
    ]


def join_columns(parts: Sequence[RecordColumns]) -> RecordColumns:
    """Put consecutive runs of records together; at least one run.

    Raises:
        RecordError: a run does not continue the one before.
    """
    ends = [(one.last_sequence + 1, two.first_sequence) for one, two in pairwise(parts)]
    if any(end != begin for end, begin in ends):
        raise RecordError("sequence: must be consecutive")
    return RecordColumns(
        parts[0].first_sequence,
        np.concatenate([part.mono_ns for part in parts]),
        np.concatenate([part.wall_ms for part in parts]),
        np.concatenate([part.bound_ms for part in parts]),
        np.concatenate([part.clock_state for part in parts]),
        np.concatenate([part.evidence for part in parts]),
        {name: _merged([part.texts[name] for part in parts]) for name in TEXT_COLUMNS},
    )


def _used(distinct: list[str], index: Int32s) -> tuple[list[str], Int32s]:
    numbers, again = np.unique(index, return_inverse=True)
    return [distinct[i] for i in numbers.tolist()], again.astype(np.int32)


def _merged(parts: list[tuple[list[str], Int32s]]) -> tuple[list[str], Int32s]:
    places: dict[str, int] = {}
    indices = [
        np.array([places.setdefault(text, len(places)) for text in distinct], np.int32)[index]
        for distinct, index in parts
    ]
    return list(places), np.concatenate(indices)


def _integers(name: str, values: list[int], most: int) -> Int64s:
    if min(values) < 0 or max(values) > most:
        raise RecordError(f"{name}: must lie in 0 to {most}")
    return np.array(values, np.int64)


def _dictionary(name: str, values: list[str]) -> tuple[list[str], Int32s]:
    places: dict[str, int] = {}
    index = np.array([places.setdefault(v, len(places)) for v in values], np.int32)
    for value in places:
        check_text(name, value)
    return list(places), index
