"""One sentence, in the reader's language, for what a person can put right."""

from pathlib import Path
from typing import Any, Final

from pydantic import ValidationError

from agreed.words import marked, say
from agreed.wrong_fields import explain
from firmware_interfaces.locker.kinds import KINDS

NAMED_TWICE: Final = "device_named_twice"
NO_DEVICE: Final = "no_such_device"
USED_TWICE: Final = "device_used_twice"
ONLY_HEARD: Final = "device_only_heard"

# By pydantic's error type, where the settings file has words of its own.
_SENTENCES: Final = {
    "extra_forbidden": marked("{field} is not a setting; correct its spelling or remove it."),
    "string_type": marked("{field} must be text in quotation marks."),
    "path_type": marked("{field} must be a path in quotation marks."),
    "tuple_type": marked("{field} must be a list of tables."),
    "model_type": marked("{field} must be a table."),
    "model_attributes_type": marked("{field} must be a table."),
    NAMED_TWICE: marked("two devices are called {name}; rename one."),
    NO_DEVICE: marked(
        "{setting}: no [[line]] has a suitable device called {name}; correct the name."
    ),
    ONLY_HEARD: marked(
        "gate: {name} is only listened to, and its own controller decides; remove opener and "
        "button there, or set its line to mode = “control”."
    ),
    USED_TWICE: marked("{name} is given to two gates, kiosks or places; remove one."),
    "union_tag_invalid": marked("{field}: the family must be one of {expected_tags}."),
    "union_tag_not_found": marked("{field}: the family is missing; add it."),
}

_PORT_FAULTS: Final = {
    "PortMissingError": marked("port {port}: nothing answers; check adapter, cable and power."),
    "PortBusyError": marked("port {port}: another program holds it; stop that program."),
    "PortClosedError": marked("port {port}: it was unplugged; plug it in again."),
    "PortStalledError": marked(
        "port {port}: it takes no more bytes; unplug it and plug it in again."
    ),
    "PortFloodedError": marked(
        "port {port}: it floods and is left alone until it is quiet; look for a stuck device."
    ),
    "PortRefusedError": marked(
        "port {port}: no permission; add the box's user to the group {group}."
    ),
    "PortUngroupedError": marked(
        "port {port}: only its owner may open it; give it to the group {group} by a udev rule, "
        "see docs/pi.md."
    ),
    "PortForbiddenError": marked(
        "port {port}: the unit or container that the box runs in does not allow it; allow the "
        "device there."
    ),
    "PortOptionError": marked(
        "port {port}: the adapter cannot do what its settings ask; correct them."
    ),
}
_STORE_FAULTS: Final = {
    "StoreFullError": marked(
        "the card is full: nothing is recorded; make room in the data folder."
    ),
    "StoreReadOnlyError": marked("the card is read-only: nothing is recorded; replace the card."),
}
_STORE_FAULT: Final = marked("the card reports a fault: nothing is recorded; replace the card.")


_ROOMS: Final = {
    "scarce": marked("the card is nearly full: signs of life are not recorded; make room on it."),
    "low": marked("the card is nearly full: no parcel and no task begins; make room on it."),
}


def room_sentence(room: str) -> str:
    """Say what little room means, from its name; "" while there is enough."""
    return say(_ROOMS[room]) if room in _ROOMS else ""


def port_sentence(port: str, error: str, group: str = "") -> str:
    """Say what is wrong with a port, from the name of its error and the group that may open it."""
    return say(_PORT_FAULTS.get(error, "{port}"), port=port, group=group)


def store_sentence(fault: str) -> str:
    """Say what is wrong with the card, from the name of the store's error."""
    return say(_STORE_FAULTS.get(fault, _STORE_FAULT))


def settings_sentence(path: Path, error: ValidationError) -> str:
    """Say the first thing that is wrong with a settings file."""
    first: Any = error.errors(include_url=False)[0]
    _, problem = explain(first, _place(first["loc"]), say("the whole file"), _SENTENCES)
    return f"{path}: {problem}"


def _place(location: tuple[str | int, ...]) -> str:
    """Write where in the file, counting tables from 1 and leaving out the family's tag."""
    families = {"osdp", "scanner", "wiegand", "modbus", "contacts", "uhppote", "ble", *KINDS}
    parts: list[str] = []
    for part in location:
        if isinstance(part, int):
            parts[-1:] = [f"{parts[-1]}[{part + 1}]"]
        elif part not in families:
            parts.append(part)
    return ".".join(parts)
