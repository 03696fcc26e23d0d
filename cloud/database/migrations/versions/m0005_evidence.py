"""What a promise asks of the record that proves it: the place, and how good the evidence is."""

from typing import Final

import sqlalchemy as sa
from alembic import op

revision: Final = "m0005"
down_revision: Final = "m0004"
branch_labels: Final = None
depends_on: Final = None

NAME: Final = sa.Text().with_variant(sa.TEXT(collation="C"), "postgresql")
TERMS: Final = "place, weakest_evidence"


def upgrade() -> None:
    """Add the columns; what was agreed before asks for nothing, and stays as agreed, too."""
    op.add_column("promises", sa.Column("place", NAME, server_default="", nullable=False))
    op.add_column(
        "promises", sa.Column("weakest_evidence", sa.Integer(), server_default="3", nullable=False)
    )
    if op.get_context().dialect.name == "postgresql":
        op.execute(
            f"CREATE TRIGGER promises_evidence BEFORE UPDATE OF {TERMS} ON promises FOR EACH ROW"
            " EXECUTE FUNCTION duifu_refuse('terms stay as agreed')"
        )
    else:
        op.execute(
            f"CREATE TRIGGER promises_evidence BEFORE UPDATE OF {TERMS} ON promises"
            " BEGIN SELECT RAISE(ABORT, 'promises: terms stay as agreed'); END"
        )
