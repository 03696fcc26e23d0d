"""Records by journal, hour and subject: each journal writes in one place of the index."""

from typing import Final

import sqlalchemy as sa
from alembic import op

revision: Final = "m0012"
down_revision: Final = "m0011"
branch_labels: Final = None
depends_on: Final = None

# As in the step that first told the planner, but for journals that have run for long: to read one
# whole must never look cheaper than to look up many workers in many hours.
SHAPES: Final = (
    ("records", "10000000 10000000 1000000 500000 500000 1"),
    ("ix_records_reference", "3000000 3000000 300000 4"),
    ("ix_records_journal_hour", "9000000 9000000 900000 450000 450000 900 2"),
)


def upgrade() -> None:
    """Exchange the index, and on SQLite tell the planner what it is like."""
    op.drop_index("ix_records_hour", "records")
    op.create_index(
        "ix_records_journal_hour",
        "records",
        ["company", "site", "box", "epoch", "hour", "subject"],
        sqlite_where=sa.text("subject <> ''"),
        postgresql_where=sa.text("subject <> ''"),
    )
    if op.get_bind().dialect.name == "sqlite":
        _tell_planner()


def _tell_planner() -> None:
    op.execute("DELETE FROM sqlite_stat1 WHERE tbl = 'records'")
    for index, shape in SHAPES:
        op.execute(
            f"INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES ('records', '{index}', '{shape}')"  # noqa: S608  # our own names
        )
    op.execute("ANALYZE sqlite_schema")  # reads it again
