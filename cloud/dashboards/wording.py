"""The words, shapes and colours of verdicts, signals, node kinds and evidence."""

from dataclasses import dataclass
from typing import Final, Protocol

from markupsafe import Markup

from agreed import records
from agreed.promises import Verdict
from agreed.records import ClockState, Evidence
from agreed.words import language, say

SHAPES: Final = {
    "kept": '<circle cx="8" cy="8" r="7.5" class="c-kept"/>'
    '<path class="c-hole" d="M4.5 8.4l2.4 2.4 4.7-5.2"/>',
    "late": '<path class="c-late" d="M8 .8 15.8 15H.2z"/>'
    '<path class="c-hole" d="M8 6v4.2M8 12v1.3"/>',
    "missed": '<rect x=".7" y=".7" width="14.6" height="14.6" rx="2" class="c-missed"/>'
    '<path class="c-hole" d="M4.7 4.7l6.6 6.6M11.3 4.7l-6.6 6.6"/>',
    "undecidable": '<path class="c-undecidable" d="M8 0 16 8 8 16 0 8z"/>'
    '<path class="c-hole" d="M4.6 8.7c1.1-1.9 2.3-1.9 3.4-.4s2.3 1.5 3.4-.4"/>',
    "open": '<circle cx="8" cy="8" r="6.4" class="c-ring"/>',
    "risk": '<path class="c-risk" d="M4.5 0h7L16 8l-4.5 8h-7L0 8z"/>'
    '<path class="c-hole" d="M8 3.6v5.2M8 11v1.6"/>',
}
"""What stands beside each word, drawn in a square of 16: never the colour alone."""

_LEVELS: Final = {"good": "kept", "warn": "late", "bad": "missed", "unknown": "open"}

VERDICT_NAMES: Final = {
    Verdict.KEPT: "kept",
    Verdict.LATE: "late",
    Verdict.MISSED: "missed",
    Verdict.UNDECIDABLE: "undecidable",
    Verdict.OPEN: "open",
}
WORST_FIRST: Final = tuple(
    (VERDICT_NAMES[verdict], verdict)
    for verdict in (
        Verdict.MISSED,
        Verdict.LATE,
        Verdict.UNDECIDABLE,
        Verdict.OPEN,
        Verdict.KEPT,
    )
)
VERDICTS_BY_NAME: Final = {name: verdict for verdict, name in VERDICT_NAMES.items()}


class HasNames(Protocol):
    """Whatever is named in both languages."""

    @property
    def name_zh(self) -> str:
        """Chinese."""
        ...

    @property
    def name_en(self) -> str:
        """English."""
        ...


@dataclass(frozen=True, slots=True)
class Signal:
    """A status that a person can act on: never a lone lamp.

    Attributes:
        level: good, warn, bad or unknown.
        word: what it is.
        age: how long it has been so, "" if that says nothing.
        reason: why, "" if it is good.
    """

    level: str
    word: str
    age: str = ""
    reason: str = ""


def mark(name: str) -> Markup:
    """Draw the shape of a verdict or of a signal's level."""
    inside = SHAPES[_LEVELS.get(name, name)]
    return Markup(  # noqa: S704 - only constants of this file
        f'<svg class="mark" viewBox="0 0 16 16" aria-hidden="true">{inside}</svg>'
    )


def verdict_word(verdict: Verdict) -> str:
    """Say a verdict."""
    words = {
        Verdict.KEPT: say("kept"),
        Verdict.LATE: say("late"),
        Verdict.MISSED: say("missed"),
        Verdict.UNDECIDABLE: say("undecidable"),
        Verdict.OPEN: say("open"),
    }
    return words[verdict]


def verdict_meaning(verdict: Verdict) -> str:
    """Say in one sentence what a verdict rests on."""
    meanings = {
        Verdict.KEPT: say("Certainly within the tolerance, clock error included."),
        Verdict.LATE: say("Certainly beyond the tolerance, clock error included."),
        Verdict.MISSED: say("The hard limit passed, the box was recording, and nothing happened."),
        Verdict.UNDECIDABLE: say(
            "The clock's error is larger than what would decide it. Paid as kept, counted apart."
        ),
        Verdict.OPEN: say(
            "Not decided: still time, or the box's records have not arrived this far yet."
        ),
    }
    return meanings[verdict]


def titled(row: HasNames) -> str:
    """Give a node's or a pack's name in the language in force."""
    return chosen(row.name_zh, row.name_en)


def chosen(name_zh: str, name_en: str) -> str:
    """Choose between two names by the language in force."""
    return name_zh if language.get() == "zh" else name_en


def node_word(kind: str) -> str:
    """Say a node kind; a kind that only a pack knows is shown as written."""
    known = {
        records.GATE_PASSED: say("arrived at the gate"),
        records.GATE_REFUSED: say("refused at the gate"),
        records.COMPARTMENT_OPENED: say("compartment opened"),
        records.COMPARTMENT_STUCK: say("compartment stuck"),
        records.PARCEL_DEPOSITED: say("parcel deposited"),
        records.PARCEL_COLLECTED: say("parcel collected"),
        records.TASK_STARTED: say("task started"),
        records.TASK_FINISHED: say("task finished"),
        records.CODE_REFUSED: say("code refused"),
        records.DEVICE_LOST: say("device lost"),
        records.DEVICE_BACK: say("device back"),
        records.DEVICE_TAMPERED: say("device tampered with"),
        records.DEVICE_KEYED: say("key of a device"),
        records.DEVICE_POWER: say("power of a device"),
        records.DEVICE_UNTAMPERED: say("case of the device closed again"),
        records.DEVICE_CLASHED: say("two devices have one address"),
        records.DEVICE_REFUSED: say("device refused"),
        records.DEVICE_UNREADABLE: say("device cannot be listened to"),
        records.DEVICE_TESTED: say("device tested by a technician"),
        records.EVENTS_MISSED: say("events that the device could not keep"),
        records.CARD_SEEN: say("card seen"),
        records.DOOR_OPENED: say("door opened"),
        records.DOOR_CLOSED: say("door closed"),
        records.DOOR_FORCED: say("door forced"),
        records.DOOR_HELD: say("door held open"),
        records.EXIT_PRESSED: say("exit button pressed"),
        records.STAFF_PRESENT: say("staff present"),
        records.STAFF_LEFT: say("staff left"),
        records.BEACON_SEEN: say("beacon seen"),
        records.BEACON_GONE: say("beacon gone"),
        records.BOX_STARTED: say("box started"),
        records.BOX_ALIVE: say("box alive"),
        records.GAP: say("records missing"),
        records.CLOCK_ANCHOR: say("clock compared"),
    }
    return known.get(kind, kind)


def evidence_word(evidence: int) -> str:
    """Say who says so."""
    match Evidence(evidence):
        case Evidence.DEVICE:
            return say("a device on the wire")
        case Evidence.KIOSK:
            return say("a person at the kiosk")
        case Evidence.MANUAL:
            return say("an imported or typed claim")


def clock_word(state: int) -> str:
    """Say what the box knew about its clock."""
    match ClockState(state):
        case ClockState.UNSET:
            return say("never set since the box started")
        case ClockState.HOLDING:
            return say("runs free since it was last set")
        case ClockState.SYNCED:
            return say("set by a time source now")


def segment_word(segment: str) -> str:
    """Say which residents an order serves; a segment of one's own as it is written."""
    words = {
        "mass": say("general residents"),
        "high-end": say("high-end residents"),
        "vulnerable": say("vulnerable residents"),
    }
    return words.get(segment, segment)
