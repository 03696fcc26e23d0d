"""How much was done by whom in which role, for whom, and what went back to residents."""

from typing import Final

import sqlalchemy as sa
from alembic import op

revision: Final = "m0010"
down_revision: Final = "m0009"
branch_labels: Final = None
depends_on: Final = None

NAME: Final = sa.Text().with_variant(sa.TEXT(collation="C"), "postgresql")
TERMS: Final = {
    "promises": ("work", "role, quantity, crew", "terms stay as agreed"),
    "orders": ("segment", "segment", "a segment stays as booked"),
}


def upgrade() -> None:
    """Add the columns and the table; what was booked before is single work of one piece."""
    op.add_column("orders", sa.Column("segment", NAME, server_default="", nullable=False))
    op.add_column("promises", sa.Column("role", NAME, server_default="", nullable=False))
    op.add_column(
        "promises", sa.Column("quantity", sa.BigInteger(), server_default="1", nullable=False)
    )
    op.add_column("promises", sa.Column("crew", sa.JSON(), server_default="[]", nullable=False))
    _create_refunds()
    is_sqlite = op.get_bind().dialect.name == "sqlite"
    for table, (name, columns, message) in TERMS.items():
        op.execute(_guard(is_sqlite, table, name, f"UPDATE OF {columns}", message))
    for act in ("UPDATE", "DELETE"):
        op.execute(_guard(is_sqlite, "refunds", act.lower(), act, "only grows"))
    if not is_sqlite:
        op.execute(
            "CREATE TRIGGER refunds_truncate BEFORE TRUNCATE ON refunds FOR EACH STATEMENT "
            "EXECUTE FUNCTION duifu_refuse('only grows')"
        )


def _create_refunds() -> None:
    op.create_table(
        "refunds",
        *(sa.Column(name, NAME, nullable=False) for name in ("company", "site", "order_id")),
        sa.Column("refund", sa.BigInteger(), nullable=False),
        sa.Column("key", NAME, nullable=False),
        sa.Column("amount_fen", sa.BigInteger(), nullable=False),
        sa.Column("cause", sa.Text(), nullable=False),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.Column("period", NAME, nullable=False),
        sa.CheckConstraint("amount_fen > 0", name=op.f("ck_refunds_amount_positive")),
        sa.CheckConstraint("length(period) = 7", name=op.f("ck_refunds_period_is_a_month")),
        sa.ForeignKeyConstraint(
            ["company", "site", "order_id"],
            ["orders.company", "orders.site", "orders.order_id"],
            name=op.f("fk_refunds_orders"),
        ),
        sa.PrimaryKeyConstraint("company", "site", "order_id", "refund", name=op.f("pk_refunds")),
        sa.UniqueConstraint("company", "site", "key", name=op.f("uq_refunds_company_site_key")),
    )
    op.create_index("ix_refunds_period", "refunds", ["company", "site", "period"])


def _guard(is_sqlite: bool, table: str, name: str, event: str, message: str) -> str:
    head = f"CREATE TRIGGER {table}_{name} BEFORE {event} ON {table}"
    if is_sqlite:
        return f"{head} BEGIN SELECT RAISE(ABORT, '{table}: {message}'); END"
    return f"{head} FOR EACH ROW EXECUTE FUNCTION duifu_refuse('{message}')"
