"""Records by hour and subject: the index grows at one end; and what the planner must know."""

from typing import Final

import sqlalchemy as sa
from alembic import op

revision: Final = "m0011"
down_revision: Final = "m0010"
branch_labels: Final = None
depends_on: Final = None

# How many rows share the first, the first two, … columns of an index, at a site as large as they
# come. Without it SQLite takes the company and the site for as good a key as any and reads all
# that a site has ever recorded. Source: sqlite.org/fileformat2.html#the_sqlite_stat1_table.
SHAPES: Final = (
    ("records", "records", "1000000 1000000 100000 20000 10000 1"),
    ("records", "ix_records_reference", "300000 300000 30000 4"),
    ("records", "ix_records_hour", "900000 900000 90000 9000 20"),
    ("corrections", "corrections", "100000 100000 10000 2000 1000 1"),
    ("corrections", "ix_corrections_subject", "90000 90000 9000 90 1"),
)


def upgrade() -> None:
    """Add the hour, which the engine computes for stored records too, and exchange the index."""
    is_sqlite = op.get_bind().dialect.name == "sqlite"
    kept = "VIRTUAL" if is_sqlite else "STORED"  # what each can add to a table that holds rows
    op.execute(
        f"ALTER TABLE records ADD COLUMN hour BIGINT GENERATED ALWAYS AS (wall_ms / 3600000) {kept}"
    )
    op.drop_index("ix_records_subject", "records")
    op.create_index(
        "ix_records_hour",
        "records",
        ["company", "site", "hour", "subject"],
        sqlite_where=sa.text("subject <> ''"),
        postgresql_where=sa.text("subject <> ''"),
    )
    if is_sqlite:
        _tell_planner()


def _tell_planner() -> None:
    op.execute("ANALYZE records")  # makes the table of statistics
    for table in sorted({table for table, _, _ in SHAPES}):
        op.execute(f"DELETE FROM sqlite_stat1 WHERE tbl = '{table}'")  # noqa: S608  # our own name
        op.execute(f"DELETE FROM sqlite_stat4 WHERE tbl = '{table}'")  # noqa: S608  # our own name
    for table, index, shape in SHAPES:
        op.execute(
            f"INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES ('{table}', '{index}', '{shape}')"  # noqa: S608  # our own names
        )
    op.execute("ANALYZE sqlite_schema")  # reads it again
