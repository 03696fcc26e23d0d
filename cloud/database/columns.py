"""How every table is declared: names that sort by bytes, whole numbers, named constraints."""

from typing import Any, Final

from sqlalchemy import BigInteger, CheckConstraint, Column, ForeignKeyConstraint, MetaData, Text
from sqlalchemy.dialects import postgresql

_CONVENTION: Final = {
    "pk": "pk_%(table_name)s",
    "fk": "fk_%(table_name)s_%(referred_table_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
}
metadata: Final = MetaData(naming_convention=_CONVENTION)

# Names sort by their bytes on both engines, whatever the server's locale.
NAME: Final = Text().with_variant(postgresql.TEXT(collation="C"), "postgresql")


def name(column: str, **options: Any) -> Column[str]:
    """Declare a text that sorts by its bytes."""
    return Column(column, NAME, nullable=False, **options)


def names(*columns: str) -> list[Column[str]]:
    """Declare several of them."""
    return [name(column) for column in columns]


def whole(column: str, **options: Any) -> Column[int]:
    """Declare a whole number: ms, fen, a sequence, a count."""
    return Column(column, BigInteger, nullable=options.pop("nullable", False), **options)


def one_of(column: str, values: tuple[str, ...]) -> CheckConstraint:
    """Allow a column the listed values only."""
    listed = ", ".join(f"'{value}'" for value in values)
    return CheckConstraint(f"{column} IN ({listed})", name=f"{column}_known")


def within(table: str, *columns: str) -> ForeignKeyConstraint:
    """Ask for the row of another table with the same key."""
    return ForeignKeyConstraint(columns, [f"{table}.{column}" for column in columns])
