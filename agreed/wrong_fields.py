"""Says which field is wrong and what it may hold, in the reader's language.

What our own checks refuse they say themselves: `raise ValueError(say("field: what to do"))`.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

from agreed.limits import NAME_PATTERN
from agreed.words import marked, say

OURS: Final = "Value error, "
"""How pydantic begins the messages of our own checks."""

_WHOLE_NUMBER: Final = marked("{field} must be a whole number.")
_YES_OR_NO: Final = marked("{field} must be true or false.")
_LIST: Final = marked("{field} must be a list.")
_OBJECT: Final = marked("{field} must hold named fields.")
_CHOICE: Final = marked("{field} must be one of {expected}.")
_NAME: Final = marked("{field} may only hold a-z, 0-9 and, within, hyphens; at most 32 characters.")

# By pydantic's error type; what stands in the braces comes from the error's context.
_SENTENCES: Final = {
    "missing": marked("{field} is missing; add it."),
    "extra_forbidden": marked("There is no field {field}; correct its spelling or leave it out."),
    "json_invalid": marked("What was sent is not JSON; correct it."),
    "string_type": marked("{field} must be text."),
    "int_type": _WHOLE_NUMBER,
    "int_parsing": _WHOLE_NUMBER,
    "int_parsing_size": _WHOLE_NUMBER,
    "int_from_float": _WHOLE_NUMBER,
    "bool_type": _YES_OR_NO,
    "bool_parsing": _YES_OR_NO,
    "list_type": _LIST,
    "tuple_type": _LIST,
    "dict_type": _OBJECT,
    "model_type": _OBJECT,
    "model_attributes_type": _OBJECT,
    "greater_than_equal": marked("{field} must be at least {ge}."),
    "greater_than": marked("{field} must be more than {gt}."),
    "less_than_equal": marked("{field} must be at most {le}."),
    "less_than": marked("{field} must be less than {lt}."),
    "string_too_short": marked("{field} is too short; give at least {min_length} characters."),
    "string_too_long": marked("{field} is too long; give at most {max_length} characters."),
    "too_short": marked("{field} has too few entries; give at least {min_length}."),
    "too_long": marked("{field} has too many entries; give at most {max_length}."),
    "string_pattern_mismatch": marked("{field} does not have the form {pattern}."),
    "literal_error": _CHOICE,
    "enum": _CHOICE,
}
_NONE: Final[Mapping[str, str]] = MappingProxyType({})


def explain(
    found: Mapping[str, Any], place: str, whole: str, special: Mapping[str, str] = _NONE
) -> tuple[str, str]:
    """Name the field of one of pydantic's errors, and say in a sentence what is wrong with it.

    Args:
        found: one of `ValidationError.errors()`.
        place: where it says that it is; "" for the whole. A check of ours may name a field inside.
        whole: what the whole is called.
        special: sentences by error type that stand before the common ones.
    """
    field = place or whole
    context = dict(found.get("ctx", {}))
    if context.get("pattern") == NAME_PATTERN:
        return field, say(_NAME, field=field)
    sentence = special.get(found["type"]) or _SENTENCES.get(found["type"])
    if sentence is None:
        return _refused_by_us(str(found["msg"]).removeprefix(OURS), place, whole)
    if "expected" in context:
        context["expected"] = str(context["expected"]).replace(" or ", ", ")
    return field, say(sentence, **context, field=field)


def _refused_by_us(message: str, place: str, whole: str) -> tuple[str, str]:
    inner, colon, rest = message.partition(": ")
    if not colon or " " in inner:
        inner, rest = "", message
    field = ".".join(filter(None, (place, inner))) or whole
    problem = rest.rstrip(".。").encode(errors="replace").decode()
    return field, say("{field}: {problem}.", field=field, problem=problem)
