"""What a plan changes against its predecessor: field by field, and in words."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from agreed.money import yuan
from agreed.words import say
from cloud.settlement.plans import Plan
from cloud.settlement.prose import percent

_KEYS: Final[Mapping[str, tuple[str, ...]]] = {
    "rates": ("pack", "node"),
    "splits": ("pack", "node"),
    "shares": ("role",),
    "pools": ("key",),
    "draws": ("role",),
    "wagers": ("key",),
    "targets": ("period",),
    "signatures": ("side",),
    "staff": ("worker", "role", "team"),
    "teams": ("team",),
}
"""What names a part of a list; other lists are compared by position."""

Value = str | int | bool | None


@dataclass(frozen=True, slots=True)
class Difference:
    """One field that two plans hold differently; None where a plan does not have it."""

    field: str
    before: Value
    after: Value


def differences(before: Plan, after: Plan) -> list[Difference]:
    """List every field that differs, by its path; a list's parts go by their own keys."""
    old, new = (dict(_flat("", plan.model_dump(mode="json"))) for plan in (before, after))
    fields = [*old, *(field for field in new if field not in old)]
    return [
        Difference(field, old.get(field), new.get(field))
        for field in fields
        if old.get(field) != new.get(field)
    ]


def in_words(difference: Difference) -> str:
    """Say a difference in one sentence, in the language in force."""
    field = difference.field
    old, new = (_shown(field, value) for value in (difference.before, difference.after))
    if difference.before is None:
        return say("{field}: new, {after}.", field=field, after=new)
    if difference.after is None:
        return say("{field}: no longer, was {before}.", field=field, before=old)
    return say("{field}: from {before} to {after}.", field=field, before=old, after=new)


def _flat(path: str, value: Any) -> Iterable[tuple[str, Value]]:
    if isinstance(value, dict):
        for name, part in value.items():
            yield from _flat(f"{path}.{name}" if path else name, part)
    elif isinstance(value, list):
        keys = _KEYS.get(path.rpartition(".")[2], ())
        for i, part in enumerate(value):
            name = "/".join(str(part[key]) for key in keys) if keys else str(i)
            yield from _flat(f"{path}[{name}]", part)
    else:
        yield path, value


def _shown(field: str, value: Value) -> str:
    if isinstance(value, bool):
        return say("yes") if value else say("no")
    if isinstance(value, int) and field.endswith("_fen"):
        return say("{yuan} yuan", yuan=yuan(value))
    if isinstance(value, int) and field.endswith("_bp"):
        return percent(value)
    return str(value)
