"""One sentence, in the reader's language, for what a person can put right."""

from pathlib import Path
from typing import Any, Final

from pydantic import ValidationError

from agreed.words import say
from firmware_interfaces.locker.kinds import KINDS


def _(message: str) -> str:
    """Mark a message for the catalogue; it is translated when it is said."""
    return message


NAMED_TWICE: Final = "device_named_twice"
NO_DEVICE: Final = "no_such_device"
USED_TWICE: Final = "device_used_twice"
ONLY_HEARD: Final = "device_only_heard"

# By pydantic's error type; {place} is the field, the rest comes from the error's context.
_SENTENCES: Final = {
    "missing": _("{place} is missing; add it."),
    "extra_forbidden": _("{place} is not a setting; correct its spelling or remove it."),
    "string_type": _("{place} must be text in quotation marks."),
    "int_type": _("{place} must be a whole number."),
    "int_parsing": _("{place} must be a whole number."),
    "int_from_float": _("{place} must be a whole number."),
    "bool_type": _("{place} must be true or false."),
    "bool_parsing": _("{place} must be true or false."),
    "path_type": _("{place} must be a path in quotation marks."),
    "tuple_type": _("{place} must be a list of tables."),
    "model_type": _("{place} must be a table."),
    "model_attributes_type": _("{place} must be a table."),
    "greater_than_equal": _("{place} must be at least {ge}."),
    "greater_than": _("{place} must be more than {gt}."),
    "less_than_equal": _("{place} must be at most {le}."),
    "less_than": _("{place} must be less than {lt}."),
    "string_too_short": _("{place} is too short; give at least {min_length} characters."),
    "string_too_long": _("{place} is too long; give at most {max_length} characters."),
    "too_short": _("{place} has too few entries; give at least {min_length}."),
    "too_long": _("{place} has too many entries; give at most {max_length}."),
    "string_pattern_mismatch": _(
        "{place} may only hold a-z, 0-9 and hyphens, at most 32 characters."
    ),
    "literal_error": _("{place} must be one of {expected}."),
    NAMED_TWICE: _("two devices are called {name}; rename one."),
    NO_DEVICE: _("{field}: no [[line]] has a suitable device called {name}; correct the name."),
    ONLY_HEARD: _(
        "gate: {name} is only listened to, and its own controller decides; remove opener and "
        "button there, or set its line to mode = “control”."
    ),
    USED_TWICE: _("{name} is given to two gates, kiosks or places; remove one."),
    "union_tag_invalid": _("{place}: the family must be one of {expected_tags}."),
    "union_tag_not_found": _("{place}: the family is missing; add it."),
}

# What validators of ours say, here and in firmware_interfaces.
_OWN: Final = (
    _("write mqtt://host:1883 or mqtts://host:8883; user and password apart"),
    _("give at most one of password and password_file"),
    _("a password needs a user"),
    _("a gate needs a reader, or a button and an opener"),
    _("telemetry_room_mib must not be less than custody_room_mib"),
    _("give exactly one of key and key_file"),
    _("a secure-channel key is 32 hexadecimal characters"),
    _("this key is publicly known; give the reader a key of its own"),
    _("address and compartments reach past board 15"),
    _("a door needs a strike, a contact or a button"),
    _("an identity key is 32 hexadecimal characters"),
    _("far_dbm must be less than near_dbm"),
    _("away_s must be at least three times scan_s"),
    _('ends = "silence" needs idle_ms above 0'),
    _(
        "a port is a path such as /dev/ttyUSB0 or /dev/serial/by-id/..., "
        "or an address such as socket://192.168.1.20:4001"
    ),
)

_TWICE: Final = " is given twice on one line: "


_PORT_FAULTS: Final = {
    "PortMissingError": _("port {port}: nothing answers; check adapter, cable and power."),
    "PortBusyError": _("port {port}: another program holds it; stop that program."),
    "PortClosedError": _("port {port}: it was unplugged; plug it in again."),
    "PortStalledError": _("port {port}: it takes no more bytes; unplug it and plug it in again."),
    "PortFloodedError": _(
        "port {port}: it floods and is left alone until it is quiet; look for a stuck device."
    ),
    "PortRefusedError": _("port {port}: no permission; add the box's user to the group {group}."),
    "PortUngroupedError": _(
        "port {port}: only its owner may open it; give it to the group {group} by a udev rule, "
        "see docs/pi.md."
    ),
    "PortForbiddenError": _(
        "port {port}: the unit or container that the box runs in does not allow it; allow the "
        "device there."
    ),
    "PortOptionError": _("port {port}: the adapter cannot do what its settings ask; correct them."),
}
_STORE_FAULTS: Final = {
    "StoreFullError": _("the card is full: nothing is recorded; make room in the data folder."),
    "StoreReadOnlyError": _("the card is read-only: nothing is recorded; replace the card."),
}
_STORE_FAULT: Final = _("the card reports a fault: nothing is recorded; replace the card.")


_ROOMS: Final = {
    "scarce": _("the card is nearly full: signs of life are not recorded; make room on it."),
    "low": _("the card is nearly full: no parcel and no task begins; make room on it."),
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
    place = _place(first["loc"])
    sentence = _SENTENCES.get(first["type"])
    if sentence is not None:
        what = say(sentence, **_limits(first), place=place)
    else:
        own = first.get("ctx", {}).get("error")
        message = _own_words(str(own)) if own is not None else first["msg"]
        what = f"{place}: {message}" if place else message
    return f"{path}: {what}"


def _limits(found: dict[str, Any]) -> dict[str, Any]:
    limits = dict(found.get("ctx", {}))
    if "expected" in limits:
        limits["expected"] = str(limits["expected"]).replace(" or ", ", ")
    return limits


def _own_words(message: str) -> str:
    field, twice, names = message.partition(_TWICE)
    if twice:
        return say("{field} is given twice on one line: {names}.", field=field, names=names)
    return say(message)


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
