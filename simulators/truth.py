"""What really happened on the site, told by the devices and the people; pure."""

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Final, TypeVar

from agreed.directives import CodeAction
from agreed.machine import NS_PER_MS, NS_PER_S, SimulatedDay
from agreed.records import (
    CODE_REFUSED,
    COMPARTMENT_OPENED,
    GATE_PASSED,
    GATE_REFUSED,
    PARCEL_COLLECTED,
    PARCEL_DEPOSITED,
    TASK_FINISHED,
    TASK_STARTED,
)
from firmware_interfaces.observations import Seen
from simulators.cast import Cast
from simulators.devices.far_device import Emission
from simulators.people import DoorUsed, Heard

_ANSWER_NS_MAX: Final = 12 * NS_PER_S
_OPENING_NS_MAX: Final = 2 * NS_PER_S
_OF_ACTION: Final = {
    CodeAction.START: TASK_STARTED,
    CodeAction.FINISH: TASK_FINISHED,
    CodeAction.DEPOSIT: COMPARTMENT_OPENED,
    CodeAction.COLLECT: COMPARTMENT_OPENED,
}


REFUSED: Final = "refused"
"""Stands in the key for who or what was refused: its record may not know the card or the order."""

Key = tuple[str, str]
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Deed:
    """One thing that a person did at a device and that a record must tell.

    Attributes:
        keys: which records could tell it: the device and, as far as is known, who or what; more
            than one where nobody heard the answer.
        kinds: the node kinds that would tell it rightly.
        worker: who did it; "" for whoever.
        order: for which order; "" for none.
        at_ms: when it crossed the wire, ms of the simulated day.
        is_owed: the person saw it accepted, so that it must never be lost.
    """

    keys: frozenset[Key]
    kinds: frozenset[str]
    worker: str
    order: str
    at_ms: int
    is_owed: bool


@dataclass(frozen=True, slots=True)
class Witnessed:
    """What the far ends of all wires know.

    Attributes:
        emitted: what crossed the wires to the box, in order of time.
        heard: what people were told, in order of time.
        doors: compartments that people used.
        codes: order and action by code.
        box_killed_ns: when the box was killed; if never, everything that crossed a wire is owed.
    """

    emitted: list[Emission]
    heard: list[Heard]
    doors: list[DoorUsed]
    codes: Mapping[str, tuple[str, CodeAction]]
    box_killed_ns: Sequence[int] = ()

    @property
    def is_box_steady(self) -> bool:
        """Whether the box was never killed."""
        return not self.box_killed_ns


def as_json(witnessed: Witnessed) -> str:
    """Write down what was witnessed, for whoever wants to look at a fault."""
    return json.dumps(asdict(witnessed), ensure_ascii=False, indent=1) + "\n"


def deeds_of(witnessed: Witnessed, cast: Cast, day: SimulatedDay) -> list[Deed]:
    """Give every deed in order of time."""
    subjects = {p.card: p.id for p in (*cast.everyone_working(), *cast.residents)}
    answers = _Answers(witnessed.emitted, witnessed.heard)
    deeds: list[Deed] = []
    for emission in witnessed.emitted:
        at_ms = day.wall_ns(emission.mono_ns) // NS_PER_MS
        if emission.seen is Seen.DOOR_CLOSED:
            deeds.append(_closed(emission, witnessed, at_ms))
        elif emission.seen in {Seen.CARD, Seen.CODE}:
            is_good = answers.to(emission)
            is_owed = witnessed.is_box_steady or (emission.seen is Seen.CODE and is_good is True)
            shown = _Shown(emission.device, emission.value, is_good, at_ms, is_owed)
            deeds.append(shown.deed(subjects, witnessed.codes))
    for heard in answers.left:  # nobody can say whether it crossed the wire: it may be recorded
        at_ms = day.wall_ns(heard.mono_ns) // NS_PER_MS
        shown = _Shown(heard.device, heard.text, None, at_ms, is_owed=False)
        deeds.append(shown.deed(subjects, witnessed.codes))
    return sorted(deeds, key=lambda deed: deed.at_ms)


@dataclass(frozen=True, slots=True)
class _Shown:
    """A card or a code that was held to a device."""

    device: str
    text: str
    is_good: bool | None
    at_ms: int
    is_owed: bool

    def deed(
        self, subjects: Mapping[str, str], codes: Mapping[str, tuple[str, CodeAction]]
    ) -> Deed:
        if self.text.startswith("26:"):
            subject = subjects.get(self.text, "")
            return Deed(
                self._chosen((self.device, subject), (self.device, REFUSED)),
                self._chosen(GATE_PASSED, GATE_REFUSED),
                subject,
                "",
                self.at_ms,
                self.is_owed,
            )
        order, action = codes.get(self.text, ("", None))
        told = _OF_ACTION[action] if action else CODE_REFUSED
        return Deed(
            self._chosen((self.device, order), (self.device, REFUSED)),
            self._chosen(told, CODE_REFUSED),
            "",
            order,
            self.at_ms,
            self.is_owed,
        )

    def _chosen(self, good: T, bad: T) -> frozenset[T]:
        if self.is_good is None:
            return frozenset((good, bad))
        return frozenset((good if self.is_good else bad,))


class _Answers:
    """Which answer belongs to which emission: to the last one of its text before it."""

    def __init__(self, emitted: Iterable[Emission], heard: Iterable[Heard]) -> None:
        shown: dict[tuple[str, str], list[Emission]] = defaultdict(list)
        for emission in emitted:
            shown[emission.device, emission.value].append(emission)
        self.left: list[Heard] = []
        self._of: dict[int, Heard] = {}
        for one in heard:
            before = [
                emission
                for emission in shown[one.device, one.text]
                if 0 <= one.mono_ns - emission.mono_ns < _ANSWER_NS_MAX
                and id(emission) not in self._of
            ]
            if before:
                self._of[id(before[-1])] = one
            else:
                self.left.append(one)

    def to(self, emission: Emission) -> bool | None:
        heard = self._of.get(id(emission))
        return heard.is_good if heard is not None else None


def _closed(emission: Emission, witnessed: Witnessed, at_ms: int) -> Deed:
    """Tell whose door it was that a person pushed shut before the bank said that it is shut."""
    pushed = [
        door
        for door in witnessed.doors
        if door.part == emission.part and door.mono_ns <= emission.mono_ns
    ]
    order, action = witnessed.codes[pushed[-1].code] if pushed else ("", None)
    kinds = {CodeAction.DEPOSIT: PARCEL_DEPOSITED, CodeAction.COLLECT: PARCEL_COLLECTED}
    kind = kinds.get(action) if action else None
    return Deed(
        frozenset(((emission.device, str(emission.part)),)),
        frozenset((kind,)) if kind else frozenset((PARCEL_DEPOSITED, PARCEL_COLLECTED)),
        "",
        order,
        at_ms,
        is_owed=not pushed or _was_seen_open(pushed[-1], witnessed),
    )


def _was_seen_open(door: DoorUsed, witnessed: Witnessed) -> bool:
    """Whether the box lived from before the door opened until it was pushed shut.

    A box that dies in between cannot know afterwards that the door ever stood open.
    """
    opened_ns = max(
        emission.mono_ns
        for emission in witnessed.emitted
        if emission.seen is Seen.DOOR_OPENED
        and emission.part == door.part
        and emission.mono_ns <= door.mono_ns
    )
    return not any(
        opened_ns - _OPENING_NS_MAX <= killed_ns <= door.mono_ns
        for killed_ns in witnessed.box_killed_ns
    )
