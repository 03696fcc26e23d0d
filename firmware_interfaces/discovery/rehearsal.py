"""Leads a person through one device: what to do, what must be seen, what was seen.

The words for a person belong to whoever shows them; here an act is a name.
"""

from dataclasses import dataclass
from enum import Enum
from typing import Final, assert_never

from agreed.machine import NS_PER_S, Moment
from firmware_interfaces.ble.settings import BleLine
from firmware_interfaces.contacts.settings import ContactsLine
from firmware_interfaces.locker.settings import LockerLine
from firmware_interfaces.modbus.settings import ModbusLine
from firmware_interfaces.observations import (
    Admit,
    Answer,
    Command,
    Observation,
    OpenCompartment,
    Refuse,
    Seen,
)
from firmware_interfaces.osdp.settings import OsdpLine
from firmware_interfaces.scanner.settings import ScannerLine
from firmware_interfaces.settings import LineSettings
from firmware_interfaces.uhppote.settings import UhppoteLine
from firmware_interfaces.wiegand.settings import WiegandLine
from firmware_interfaces.wired_door import WiredDoor

WAIT_S: Final = 30
OPEN_MS: Final = 3_000


class Act(Enum):
    """What somebody, or the box, does in a step."""

    WAIT = "wait"  # until the device answers
    TAP = "tap"  # a person holds a card to it
    WATCH_GREEN = "watch_green"  # the box opens; a person watches
    WATCH_RED = "watch_red"  # the box refuses; a person watches and says what was seen
    OPEN = "open"  # the box opens a compartment
    PULL = "pull"  # a person opens the door
    CLOSE = "close"  # a person closes the door
    PRESS = "press"  # a person presses the exit button
    SCAN = "scan"  # a person scans a code
    CARRY_IN = "carry_in"  # a person brings a badge near
    CARRY_OUT = "carry_out"  # a person takes it away
    HEAR_BEEP = "hear_beep"  # the box answers; a person listens and says what was heard


class Outcome(Enum):
    """How a step ended."""

    SEEN = "seen"
    NOT_SEEN = "not_seen"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Step:
    """One step.

    Attributes:
        act: what is done.
        wanted: what the device must say; None when only a person can tell.
        command: what the box is to say at its beginning.
    """

    act: Act
    wanted: Seen | None
    command: Command | None = None


@dataclass(frozen=True, slots=True)
class Result:
    """What became of a step; `value` is what the device said."""

    step: Step
    outcome: Outcome
    value: str = ""


def steps_for(line: LineSettings, device: str, part: int = 1) -> list[Step]:
    """Give the steps that test one device of a line; `part` is a compartment."""
    back = Step(Act.WAIT, Seen.BACK)
    match line:
        case OsdpLine() | WiegandLine() | UhppoteLine():
            return [back, Step(Act.TAP, Seen.CARD), *_answers_of(line, device)]
        case LockerLine():
            opened = Step(Act.OPEN, Seen.DOOR_OPENED, OpenCompartment(device, part))
            return [back, opened, Step(Act.CLOSE, Seen.DOOR_CLOSED)]
        case ScannerLine():
            beep = Step(Act.HEAR_BEEP, None, Answer(device, is_good=True))
            return [back, Step(Act.SCAN, Seen.CODE), beep]
        case ModbusLine() | ContactsLine():
            (door,) = (one for one in line.devices if one.name == device)
            return [back, *_door_steps(door)]
        case BleLine():
            return [back, Step(Act.CARRY_IN, Seen.ENTERED), Step(Act.CARRY_OUT, Seen.LEFT)]
        case _:
            assert_never(line)


def _answers_of(line: OsdpLine | WiegandLine | UhppoteLine, device: str) -> list[Step]:
    if isinstance(line, WiegandLine) or (isinstance(line, OsdpLine) and line.mode == "listen"):
        return []
    return [_green(device)] + ([_red(device)] if isinstance(line, OsdpLine) else [])


def _green(device: str) -> Step:
    return Step(Act.WATCH_GREEN, Seen.ADMITTED, Admit(device, open_ms=OPEN_MS))


def _red(device: str) -> Step:
    return Step(Act.WATCH_RED, None, Refuse(device))


def _door_steps(door: WiredDoor) -> list[Step]:
    steps = [_green(door.name)] if door.strike is not None else []
    if door.contact is not None:
        steps += [Step(Act.PULL, Seen.DOOR_OPENED), Step(Act.CLOSE, Seen.DOOR_CLOSED)]
    if door.button is not None:
        steps.append(Step(Act.PRESS, Seen.PRESSED))
    return steps


class Rehearsal:
    """Goes through the steps of one device; no I/O, no clock.

    Attributes:
        results: of the steps that ended, in order.
    """

    def __init__(self, device: str, steps: list[Step], wait_s: int = WAIT_S) -> None:
        self.results: list[Result] = []
        self._device = device
        self._steps = steps
        self._wait_s = wait_s
        self._until_ns: int | None = None

    @property
    def step(self) -> Step | None:
        """The step under way; None at the end."""
        done_count = len(self.results)
        return self._steps[done_count] if done_count < len(self._steps) else None

    @property
    def is_passed(self) -> bool:
        """Whether every step ended as it should."""
        return self.step is None and all(r.outcome is Outcome.SEEN for r in self.results)

    def begin(self, now: Moment) -> Command | None:
        """Begin the step under way; gives what the box is to say."""
        self._until_ns = now.mono_ns + self._wait_s * NS_PER_S
        return self.step.command if self.step is not None else None

    def observed(self, observation: Observation) -> bool:
        """Take in what a device said; True when that ends the step."""
        step = self.step
        if step is None or observation.device != self._device or self._until_ns is None:
            return False
        if observation.seen is step.wanted:
            return self._end(step, Outcome.SEEN, observation.value)
        if observation.seen is Seen.REFUSED_BY_DEVICE and step.command is not None:
            return self._end(step, Outcome.REFUSED, observation.value)
        return False

    def told(self, *, was_seen: bool) -> bool:
        """Take in what a person saw or heard; True when that ends the step."""
        step = self.step
        if step is None or step.wanted is not None:
            return False
        return self._end(step, Outcome.SEEN if was_seen else Outcome.NOT_SEEN, "")

    def time_passed(self, now: Moment) -> bool:
        """End a step in which nothing was seen for too long; True when it did."""
        step = self.step
        if step is None or self._until_ns is None or now.mono_ns < self._until_ns:
            return False
        return self._end(step, Outcome.NOT_SEEN, "")

    def _end(self, step: Step, outcome: Outcome, value: str) -> bool:
        self.results.append(Result(step, outcome, value))
        self._until_ns = None
        return True
