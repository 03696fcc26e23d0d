"""The keys of boxes: which one headquarters knows each by, and every one it ever did."""

from typing import Final, NamedTuple

from sqlalchemy import Connection, func, insert, select

from cloud.database import schema
from cloud.database.fleet import BoxName, at, at_named, change_box, named

BY_PERSON: Final = "person"
BY_FIRST_WORD: Final = "first_word"
BY_IMPORT: Final = "import"


_KNOWN_KEY: Final = (
    select(schema.box_keys.c.number, schema.box_keys.c.public_key)
    .join(
        schema.boxes,
        (schema.boxes.c.company == schema.box_keys.c.company)
        & (schema.boxes.c.site == schema.box_keys.c.site)
        & (schema.boxes.c.box == schema.box_keys.c.box)
        & (schema.boxes.c.key_number == schema.box_keys.c.number),
    )
    .where(at_named(schema.box_keys, BoxName))
)


class KnownKey(NamedTuple):
    """A public key, and its number among those of the box."""

    number: int
    public: bytes


class FormerKey(NamedTuple):
    """A public key that a box was known by, and since when."""

    public: bytes
    accepted_at_ms: int


def known_key(connection: Connection, name: BoxName) -> KnownKey | None:
    """Read the key that a box must sign with; None before its first word."""
    row = connection.execute(_KNOWN_KEY, named(name)).one_or_none()
    return None if row is None else KnownKey(*row)


def pin_key(connection: Connection, name: BoxName, public: bytes, how: str, now_ms: int) -> None:
    """Know a box by this key from now on; those before it stay known for what they signed."""
    keys = schema.box_keys
    last = select(func.coalesce(func.max(keys.c.number), 0)).where(at(keys, name))
    number = connection.execute(last).scalar_one() + 1
    values = {"number": number, "public_key": public, "how": how, "accepted_at_ms": now_ms}
    connection.execute(insert(keys).values(**name._asdict(), **values))
    change_box(connection, name, key_number=number, offered_key=None)


def keys_of(connection: Connection, name: BoxName) -> dict[int, FormerKey]:
    """Read every key that a box was ever known by, by number."""
    keys = schema.box_keys
    query = select(keys.c.number, keys.c.public_key, keys.c.accepted_at_ms).where(at(keys, name))
    return {
        row.number: FormerKey(row.public_key, row.accepted_at_ms)
        for row in connection.execute(query)
    }
