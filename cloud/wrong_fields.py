"""Says which field is wrong and what it may hold, in the reader's language."""

from collections.abc import Mapping
from typing import Any, Final

from agreed.limits import NAME_PATTERN
from agreed.words import say

WHOLE: Final = "body"
"""Stands for a field where the whole of what came cannot be read."""

OURS: Final = "Value error, "
"""How pydantic begins the messages of our own checks."""


def _(message: str) -> str:
    """Mark a message for the catalogue; it is translated when it is said."""
    return message


_WHOLE_NUMBER: Final = _("{field} must be a whole number.")
_YES_OR_NO: Final = _("{field} must be true or false.")
_LIST: Final = _("{field} must be a list.")
_OBJECT: Final = _("{field} must hold named fields.")
_CHOICE: Final = _("{field} must be one of {choices}.")
_NO_JSON: Final = _("What was sent is not JSON; correct it.")
_NAME: Final = _("{field} may only hold a-z, 0-9 and hyphens, at most 32 characters.")

# By pydantic's error type; what stands in the braces comes from the error's context.
_SENTENCES: Final = {
    "missing": _("{field} is missing; add it."),
    "extra_forbidden": _("There is no field {field}; correct its spelling or leave it out."),
    "string_type": _("{field} must be text."),
    "int_type": _WHOLE_NUMBER,
    "int_parsing": _WHOLE_NUMBER,
    "int_parsing_size": _WHOLE_NUMBER,
    "int_from_float": _WHOLE_NUMBER,
    "bool_type": _YES_OR_NO,
    "bool_parsing": _YES_OR_NO,
    "list_type": _LIST,
    "dict_type": _OBJECT,
    "model_type": _OBJECT,
    "model_attributes_type": _OBJECT,
    "greater_than_equal": _("{field} must be at least {ge}."),
    "greater_than": _("{field} must be more than {gt}."),
    "less_than_equal": _("{field} must be at most {le}."),
    "less_than": _("{field} must be less than {lt}."),
    "string_too_short": _("{field} is too short; give at least {min_length} characters."),
    "string_too_long": _("{field} is too long; give at most {max_length} characters."),
    "too_short": _("{field} has too few entries; give at least {min_length}."),
    "too_long": _("{field} has too many entries; give at most {max_length}."),
    "string_pattern_mismatch": _("{field} does not have the form {pattern}."),
    "literal_error": _CHOICE,
    "enum": _CHOICE,
}

# What the checks of requests, packs and mappings say after "field: ".
_OWN: Final = (
    _("control characters are not allowed"),
    _("must be later than valid_from_ms"),
    _("must not be before booked_from_ms"),
    _("name each worker once in each role"),
    _("name each node once"),
    _("must exceed tolerance_minutes"),
    _("name the device to match by turn, and only then"),
    _("give each node a key of its own"),
    _("name who receives supplier_cost_fen"),
    _("less than supplier cost and platform share together"),
)


def explain(found: Mapping[str, Any], place: str, whole: str = WHOLE) -> tuple[str, str]:
    """Name the field of one of pydantic's errors, and say in a sentence what is wrong with it.

    Args:
        found: one of `ValidationError.errors()`.
        place: where it says that it is; "" for the whole. A check of ours may name a field inside.
        whole: what the whole is called.
    """
    if found["type"] == "json_invalid":
        return whole, say(_NO_JSON)
    limits = found.get("ctx", {})
    sentence = _NAME if limits.get("pattern") == NAME_PATTERN else _SENTENCES.get(found["type"])
    if sentence is not None:
        choices = str(limits.get("expected", "")).replace(" or ", ", ")
        return place or whole, say(sentence, **limits, field=place or whole, choices=choices)
    return _own(str(found["msg"]).removeprefix(OURS), place, whole)


def _own(message: str, place: str, whole: str) -> tuple[str, str]:
    inner, colon, rest = message.partition(": ")
    if not colon or " " in inner:
        inner, rest = "", message
    field = ".".join(filter(None, (place, inner))) or whole
    problem = say(rest).rstrip(".。").encode(errors="replace").decode()
    return field, say("{field}: {problem}.", field=field, problem=problem)
