"""Counts the rows of a young PostgreSQL store, so that its planner finds them by their keys."""

from typing import Final

from sqlalchemy import Connection, text

LINES_MIN: Final = 250
"""A batch of so many lines makes tables large enough for a bad plan to hurt."""

_TABLES: Final = ("lines", "orders", "promises", "transfers", "verdicts")
_NEVER_COUNTED: Final = text(
    "SELECT relname FROM pg_class WHERE relname = ANY(:tables) AND relkind = 'r'"
    " AND reltuples < 0 AND pg_table_is_visible(oid) ORDER BY relname"
)


def count_once(connection: Connection) -> list[str]:
    """Count the tables of the books that were never counted, and name them.

    The server does it by itself within a minute of the first rows; until then the checks of
    foreign keys walk through the tables, and a first backlog takes minutes. SQLite's planner is
    told by a migration.
    """
    if connection.dialect.name != "postgresql":
        return []
    names = list(connection.execute(_NEVER_COUNTED, {"tables": list(_TABLES)}).scalars())
    for name in names:
        connection.execute(text(f"ANALYZE {name}"))
    return names
