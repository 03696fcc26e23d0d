"""What a device said, and what it can be told: the words between any family and the box."""

from dataclasses import dataclass, field
from enum import IntEnum

from agreed.machine import Moment


class Seen(IntEnum):
    """What an observation is about; the numbers are never reused."""

    LOST = 1  # the device stopped answering; said once
    BACK = 2  # it answers again; said once
    CARD = 3  # value: the card's bits as "count:hex", for example "26:0a1b2c80"
    KEYS = 4  # value: the digits typed
    CODE = 5  # value: the text scanned
    DOOR_OPENED = 6  # part: the compartment
    DOOR_CLOSED = 7  # part: the compartment
    DOOR_STUCK = 8  # part: the compartment was told to open and did not
    TAMPERED = 9
    REFUSED_BY_DEVICE = 10  # value: what was asked and the device's reason
    ADMITTED = 11  # a reader confirmed that its output was driven after Admit
    DOOR_FORCED = 12  # said after DOOR_OPENED: nobody had told it to open; part as there
    DOOR_HELD = 13  # it stands open for too long, said once; value: the seconds allowed
    PRESSED = 14  # an exit button
    CARD_BEFORE = 15  # read from a device's memory; value: card, space, the device's own time
    MISSED = 16  # events that a device could not keep; value: how many
    REKEYED = 17  # a reader confirmed its new key: the old one is of no use any more
    ENTERED = 18  # a badge or beacon is near; value: who it says it is
    LEFT = 19  # it is not near any more; value as there
    CLASHED = 20  # two devices answer to one address, said once; value: which
    INSTALL_OPENED = 30  # keys that anybody knows are taken for a while; value: the seconds
    INSTALL_CLOSED = 31  # they are not any more; value: keyed, time, told or lost
    POWER_LOST = 32  # a reader reports that its own supply fails
    POWER_BACK = 33
    UNTAMPERED = 34  # its case was closed again
    DESCRIBED = 35  # who a device says it is and what it has; value: for people
    UNREADABLE = 36  # said once: what a device says to another master is encrypted; value: why


@dataclass(frozen=True, slots=True)
class Observation:
    """One thing that one device said at one moment.

    Attributes:
        device: the device's name from the settings.
        seen: what it is about.
        value: text of the device, bounded and printable; "" where none.
        part: compartment number from 1; 0 for the whole device.
        at: when the last byte that proves it arrived.
    """

    device: str
    seen: Seen
    at: Moment
    value: str = ""
    part: int = 0


@dataclass(frozen=True, slots=True)
class Admit:
    """Drive a gate's output for a while and show green."""

    device: str
    open_ms: int = 3_000


@dataclass(frozen=True, slots=True)
class Refuse:
    """Show red and sound the refusal; the door stays shut."""

    device: str


@dataclass(frozen=True, slots=True)
class OpenCompartment:
    """Open one compartment of a locker bank and verify that it opened."""

    device: str
    part: int


@dataclass(frozen=True, slots=True)
class Answer:
    """Tell the person at a scanner that the code was taken (or not), by beep."""

    device: str
    is_good: bool


@dataclass(frozen=True, slots=True)
class Trigger:
    """Have a scanner look for a code now."""

    device: str


@dataclass(frozen=True, slots=True)
class Rekey:
    """Give a reader a new secure-channel key; 16 bytes, kept by the caller beside the old one."""

    device: str
    key: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Install:
    """Take a reader's well-known installation key for a while, to give it its own.

    Attributes:
        for_s: how long at most; 0 closes what is open.
    """

    device: str
    for_s: int = 120


Command = Admit | Refuse | OpenCompartment | Answer | Trigger | Rekey | Install
