"""Adds many rows by the shortest way each engine has; the rules of the tables hold as ever."""

from collections.abc import Iterable
from functools import lru_cache
from itertools import chain, islice
from typing import Any, Final

from sqlalchemy import Connection, Table
from sqlalchemy.exc import DBAPIError

ROWS_PER_INSERT: Final = 250
"""Rows of one statement on SQLite.

Another thread runs while it does, and is not asked for every row; triggers are set up once for
all of them.
"""

Values = tuple[Any, ...]
"""Of one row, in the order of its table's columns; JSON as text."""


def add_rows(
    connection: Connection, table: Table, rows: Iterable[Values], same: Values = ()
) -> None:
    """Insert rows, all of them or none.

    Args:
        connection: writes.
        table: where to.
        rows: each the values of the columns that follow those in `same`.
        same: values of the first columns where every row has the same; they are handed to SQLite
            once for a statement, which matters most for bytes.

    Raises:
        sqlalchemy.exc.IntegrityError: a rule of the table refuses one.
    """
    if connection.dialect.name == "postgresql":
        _copy(connection, table, (same + row for row in rows))
    else:
        _insert(connection, table, rows, same)


def given_columns(table: Table) -> list[str]:
    """Name the columns that a row has values for: not those that the store computes."""
    return [column.name for column in table.columns if column.computed is None]


def _copy(connection: Connection, table: Table, rows: Iterable[Values]) -> None:
    # The driver's own way in bulk: SQLAlchemy has no word for it, nor for what it raises.
    statement = f"COPY {table.name} ({', '.join(given_columns(table))}) FROM STDIN"
    driver = connection.dialect.dbapi
    assert driver is not None
    cursor: Any = connection.connection.cursor()
    try:
        with cursor.copy(statement) as copy:
            for row in rows:
                copy.write_row(row)
    except driver.Error as error:
        raise DBAPIError.instance(statement, None, error, driver.Error) from error
    finally:
        cursor.close()


def _insert(connection: Connection, table: Table, rows: Iterable[Values], same: Values) -> None:
    left = iter(rows)
    while part := list(islice(left, ROWS_PER_INSERT)):
        values = (*same, *chain.from_iterable(part))
        connection.exec_driver_sql(_statement(table, len(part), len(same)), values)


@lru_cache(maxsize=1_024)
def _statement(table: Table, rows: int, same_count: int) -> str:
    columns = given_columns(table)
    same = [f"?{number}" for number in range(1, same_count + 1)]
    other_count = len(columns) - same_count
    starts = range(same_count + 1, same_count + 1 + rows * other_count, other_count)
    values = (
        ", ".join([*same, *(f"?{start + offset}" for offset in range(other_count))])
        for start in starts
    )
    into = f"INSERT INTO {table.name} ({', '.join(columns)}) VALUES "  # noqa: S608  # our own names
    return into + ", ".join(f"({row})" for row in values)
