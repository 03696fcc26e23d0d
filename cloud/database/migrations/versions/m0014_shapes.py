"""What SQLite's planner must know of the books, and lines by status only where they wait."""

from typing import Final

import sqlalchemy as sa
from alembic import op

revision: Final = "m0014"
down_revision: Final = "m0013"
branch_labels: Final = None
depends_on: Final = None

# Rows that share the first, the two first, … columns of an index, at a site as large as they come:
# as in m0011. Without it SQLite walks through all that a site ever posted to find what an order,
# an account or a month has.
SHAPES: Final = (
    ("accounts", "sqlite_autoindex_accounts_1", "20000 20000 2000 1"),
    ("accounts", "sqlite_autoindex_accounts_2", "20000 20000 2000 1 1"),
    ("transfers", "sqlite_autoindex_transfers_1", "3000000 3000000 300000 1"),
    ("transfers", "sqlite_autoindex_transfers_2", "3000000 3000000 300000 1"),
    ("transfers", "ix_transfers_debit", "3000000 3000000 300000 1500 1"),
    ("transfers", "ix_transfers_credit", "3000000 3000000 300000 1500 1"),
    ("transfers", "ix_transfers_order", "3000000 3000000 300000 6"),
    ("transfers", "ix_transfers_period", "3000000 3000000 300000 25000 5000"),
    ("lines", "sqlite_autoindex_lines_1", "1000000 1000000 100000 3 2 1 1"),
    ("lines", "ix_lines_worker", "1000000 1000000 100000 500 1"),
    ("lines", "ix_lines_held", "500 500 50"),
    ("lines", "ix_lines_period", "1000000 1000000 100000 8000 1"),
    ("orders", "sqlite_autoindex_orders_1", "500000 500000 50000 1"),
    ("orders", "ix_orders_booked", "500000 500000 50000 2"),
    ("orders", "ix_orders_worker", "500000 500000 50000 250 1"),
    ("promises", "sqlite_autoindex_promises_1", "1000000 1000000 100000 2 1"),
    ("promises", "ix_promises_verdict", "1000000 1000000 100000 20000 2"),
    ("promises", "ix_promises_worker", "1000000 1000000 100000 500 250 1"),
    ("promises", "ix_promises_promised", "1000000 1000000 100000 3"),
)


def upgrade() -> None:
    """Exchange the index of lines by status, and tell the planner."""
    held = sa.text("status = 'held'")
    op.drop_index("ix_lines_status", "lines")
    op.create_index(
        "ix_lines_held",
        "lines",
        ["company", "site"],
        sqlite_where=held,
        postgresql_where=held,
    )
    if op.get_bind().dialect.name == "sqlite":
        _tell_planner()


def _tell_planner() -> None:
    for table in sorted({table for table, _, _ in SHAPES}):
        for statistics in ("sqlite_stat1", "sqlite_stat4"):
            op.execute(f"DELETE FROM {statistics} WHERE tbl = '{table}'")  # noqa: S608  # our own names
    for table, index, shape in SHAPES:
        op.execute(
            f"INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES ('{table}', '{index}', '{shape}')"  # noqa: S608  # our own names
        )
    op.execute("ANALYZE sqlite_schema")  # reads it again
