"""Hostile bytes and hostile documents, made from good ones by dice."""

import json
from collections.abc import Callable
from copy import deepcopy
from random import Random
from typing import Any, Final

_BYTES: Final = (0, 1, 2, 3, 0x0A, 0x0D, 0x22, 0x53, 0x7F, 0x80, 0x8A, 0x90, 0xFE, 0xFF)
_NUMBERS: Final = (0, 1, 0x7F, 0xFF, 0x100, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF)
_LEAVES: Final[tuple[Any, ...]] = (
    None,
    True,
    -1,
    0,
    2**31,
    2**62,
    2**63,
    2**64,
    10**30,
    0.5,
    1e308,
    "",
    "x" * 65,
    "界" * 22,
    "\0",
    "\u202e",
    "\ud800",
    "0" * 32,
    [],
    {},
    [[]],
    {"kind": "put_order"},
)
_MANY: Final = 300
_HOLDERS_MAX: Final = 2_000
"""A document with more is hostile enough: what stands in it is not repeated once more."""

_DEEP: Final = 5_000
"""Deeper than any parser may follow, and more digits than a number may have."""


def mutated(data: bytes, dice: Random, others: list[bytes]) -> bytes:
    """Change bytes in one to six places."""
    held = bytearray(data)
    for _ in range(dice.randint(1, 6)):
        dice.choice(_ACTS)(held, dice, others)
    return bytes(held)


def mutated_document(text: str, dice: Random) -> str:
    """Change a leaf, drop or add a field, or repeat an element of a JSON document."""
    document = json.loads(text)
    for _ in range(dice.randint(1, 3)):
        holders = _holders(document)
        if 0 < len(holders) <= _HOLDERS_MAX:
            _change(dice.choice(holders), dice)
    return json.dumps(document)


def _holders(document: Any) -> "list[dict[str, Any] | list[Any]]":
    found: list[dict[str, Any] | list[Any]] = []
    if isinstance(document, dict | list):
        found.append(document)
        for value in document.values() if isinstance(document, dict) else document:
            found += _holders(value)
    return found


def _change(holder: "dict[str, Any] | list[Any]", dice: Random) -> None:
    leaf = deepcopy(dice.choice(_LEAVES))
    if isinstance(holder, dict):
        if holder and dice.random() < 0.9:
            key = dice.choice(sorted(holder))
            if dice.random() < 0.1:
                del holder[key]
            else:
                holder[key] = leaf
        else:
            holder[dice.choice(("kind", "x", "", "node"))] = leaf
    elif holder and dice.random() < 0.5:
        holder[dice.randrange(len(holder))] = leaf
    else:
        repeated = holder or [leaf]
        holder += deepcopy(repeated) * dice.choice((1, 2, _MANY // len(repeated)))


def _flip(held: bytearray, dice: Random, _others: list[bytes]) -> None:
    if held:
        held[dice.randrange(len(held))] ^= 1 << dice.randrange(8)


def _set(held: bytearray, dice: Random, _others: list[bytes]) -> None:
    if held:
        held[dice.randrange(len(held))] = dice.choice(_BYTES)


def _delete(held: bytearray, dice: Random, _others: list[bytes]) -> None:
    start = dice.randrange(len(held) + 1)
    del held[start : start + dice.choice((1, 2, 4, 32))]


def _insert(held: bytearray, dice: Random, _others: list[bytes]) -> None:
    start = dice.randrange(len(held) + 1)
    many = dice.choice((1, 40, 40, 40, _DEEP))
    held[start:start] = dice.choice(
        (dice.randbytes(dice.randint(1, 8)), b"[" * many, b"9" * many, b'"', b"\\", b"\0" * 16)
    )


def _repeat(held: bytearray, dice: Random, _others: list[bytes]) -> None:
    start = dice.randrange(len(held) + 1)
    held[start:start] = held[start : start + dice.randint(1, 16)] * dice.choice((1, 2, 20))


def _truncate(held: bytearray, dice: Random, _others: list[bytes]) -> None:
    del held[dice.randrange(len(held) + 1) :]


def _number(held: bytearray, dice: Random, _others: list[bytes]) -> None:
    size = dice.choice((1, 2, 4, 8))
    if len(held) >= size:
        start = dice.randrange(len(held) - size + 1)
        number = dice.choice(_NUMBERS) & (1 << size * 8) - 1
        held[start : start + size] = number.to_bytes(size, dice.choice(("little", "big")))


def _splice(held: bytearray, dice: Random, others: list[bytes]) -> None:
    other = dice.choice(others)
    start = dice.randrange(len(other) + 1)
    at = dice.randrange(len(held) + 1)
    held[at:] = other[start:]


_Act = Callable[[bytearray, Random, list[bytes]], None]
_ACTS: Final[tuple[_Act, ...]] = (
    _flip,
    _flip,
    _set,
    _set,
    _delete,
    _insert,
    _repeat,
    _truncate,
    _number,
    _number,
    _splice,
)
