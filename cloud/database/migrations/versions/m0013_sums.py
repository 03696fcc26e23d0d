"""Sums of months, what marks them stale, and an index of lines by month and time."""

from typing import Final

import sqlalchemy as sa
from alembic import op

revision: Final = "m0013"
down_revision: Final = "m0012"
branch_labels: Final = None
depends_on: Final = None

NAME: Final = sa.Text().with_variant(sa.TEXT(collation="C"), "postgresql")
MONTH: Final = ["company", "site", "period", "made_by"]
ORDER: Final = ["company", "site", "order_id", "period", "made_by"]

# What is new in the time of a sum, by the column that says when.
NEW: Final = {"lines": "at_ms", "orders": "booked_from_ms"}
# What an order that is summed already may change by.
CHANGED: Final = {
    "lines": "UPDATE",
    "orders": "UPDATE",
    "promises": "UPDATE",
    "refunds": "INSERT",
}

# Asked for every new row, mostly of sites that keep no sum of that time.
IS_SUMMED: Final = """EXISTS (SELECT 1 FROM month_sums WHERE company = NEW.company
    AND site = NEW.site AND until_ms > NEW.{time})"""


def upgrade() -> None:
    """Create tables, triggers and the index."""
    _create_tables()
    op.drop_index("ix_lines_period", "lines")
    op.create_index("ix_lines_period", "lines", ["company", "site", "period", "at_ms"])
    is_sqlite = op.get_bind().dialect.name == "sqlite"
    for statement in _sqlite() if is_sqlite else _postgresql():
        op.execute(statement)


def _create_tables() -> None:
    op.create_table(
        "month_sums",
        *(sa.Column(name, NAME, nullable=False) for name in MONTH),
        sa.Column("from_ms", sa.BigInteger(), nullable=False),
        sa.Column("until_ms", sa.BigInteger(), nullable=False),
        sa.Column("content", sa.JSON(), nullable=False),
        _within_site("month_sums"),
        sa.PrimaryKeyConstraint(*MONTH, name=op.f("pk_month_sums")),
    )
    op.create_index("ix_month_sums_until", "month_sums", ["company", "site", "until_ms"])
    op.create_table(
        "order_sums",
        *(sa.Column(name, NAME, nullable=False) for name in ORDER),
        sa.Column("is_stale", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("content", sa.JSON(), server_default="[]", nullable=False),
        sa.ForeignKeyConstraint(
            MONTH,
            [f"month_sums.{column}" for column in MONTH],
            name=op.f("fk_order_sums_month_sums"),
        ),
        sa.PrimaryKeyConstraint(*ORDER, name=op.f("pk_order_sums")),
    )
    op.create_index("ix_order_sums_stale", "order_sums", [*MONTH, "is_stale"])
    op.create_table(
        "month_moves",
        *(sa.Column(name, NAME, nullable=False) for name in MONTH[:3]),
        sa.Column("through_transfer", sa.BigInteger(), nullable=False),
        sa.Column("content", sa.JSON(), nullable=False),
        _within_site("month_moves"),
        sa.PrimaryKeyConstraint(*MONTH[:3], name=op.f("pk_month_moves")),
    )


def _within_site(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["company", "site"], ["sites.company", "sites.site"], name=op.f(f"fk_{table}_sites")
    )


def _mark_new(source: str, rows: str, time: str) -> str:
    """Mark orders of rows stale in every sum whose time the rows fall into."""
    return f"""INSERT INTO order_sums (company, site, order_id, period, made_by, is_stale)
        SELECT DISTINCT {rows}.company, {rows}.site, {rows}.order_id, months.period,
            months.made_by, true
        FROM {source} WHERE months.company = {rows}.company AND months.site = {rows}.site
            AND months.until_ms > {rows}.{time} AND months.from_ms <= {rows}.{time}
        ON CONFLICT (company, site, order_id, period, made_by) DO UPDATE SET is_stale = true"""  # noqa: S608  # our own names


def _mark_changed(source: str, rows: str) -> str:
    return f"""UPDATE order_sums SET is_stale = true {source} WHERE NOT is_stale
        AND order_sums.company = {rows}.company AND order_sums.site = {rows}.site
        AND order_sums.order_id = {rows}.order_id"""  # noqa: S608  # our own names


def _sqlite() -> list[str]:
    new = [
        f"CREATE TRIGGER {table}_sum_new AFTER INSERT ON {table} WHEN {IS_SUMMED.format(time=time)}"
        f" BEGIN {_mark_new('month_sums AS months', 'NEW', time)}; END"
        for table, time in NEW.items()
    ]
    return new + [
        f"CREATE TRIGGER {table}_sum_changed AFTER {act} ON {table}"
        f" BEGIN {_mark_changed('', 'NEW')}; END"
        for table, act in CHANGED.items()
    ]


def _postgresql() -> list[str]:
    statements = [_function("duifu_sum_changed", _mark_changed("FROM fresh", "fresh"))]
    for table, time in NEW.items():
        name = f"duifu_sum_new_{table}"
        marks = _mark_new("month_sums AS months, fresh", "fresh", time)
        statements += [_function(name, marks), _after(table, "sum_new", "INSERT", name)]
    return statements + [
        _after(table, "sum_changed", act, "duifu_sum_changed") for table, act in CHANGED.items()
    ]


def _function(name: str, statement: str) -> str:
    return (
        f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$"
        f" BEGIN {statement}; RETURN NULL; END $$"
    )


def _after(table: str, name: str, act: str, function: str) -> str:
    return (
        f"CREATE TRIGGER {table}_{name} AFTER {act} ON {table} REFERENCING NEW TABLE AS fresh "
        f"FOR EACH STATEMENT EXECUTE FUNCTION {function}()"
    )
