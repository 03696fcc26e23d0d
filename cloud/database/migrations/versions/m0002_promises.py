"""People, packs, orders, promises and verdicts."""

from typing import Final

import sqlalchemy as sa
from alembic import op

revision: Final = "m0002"
down_revision: Final = "m0001"
branch_labels: Final = None
depends_on: Final = None

NAME: Final = sa.Text().with_variant(sa.TEXT(collation="C"), "postgresql")


def upgrade() -> None:
    """Create the tables."""
    _workers()
    _credentials()
    _packs()
    _orders()
    _promises()
    _verdicts()


def _workers() -> None:
    op.create_table(
        "workers",
        sa.Column("company", NAME, nullable=False),
        sa.Column("site", NAME, nullable=False),
        sa.Column("worker", NAME, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("created_at_ms", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["company", "site"], ["sites.company", "sites.site"], name=op.f("fk_workers_sites")
        ),
        sa.PrimaryKeyConstraint("company", "site", "worker", name=op.f("pk_workers")),
    )


def _credentials() -> None:
    op.create_table(
        "credentials",
        sa.Column("company", NAME, nullable=False),
        sa.Column("site", NAME, nullable=False),
        sa.Column("card", NAME, nullable=False),
        sa.Column("subject", NAME, nullable=False),
        sa.Column("role", NAME, nullable=False),
        sa.Column("valid_from_ms", sa.BigInteger(), nullable=False),
        sa.Column("valid_until_ms", sa.BigInteger(), nullable=False),
        sa.Column("ended_at_ms", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["company", "site"], ["sites.company", "sites.site"], name=op.f("fk_credentials_sites")
        ),
        sa.PrimaryKeyConstraint("company", "site", "card", name=op.f("pk_credentials")),
    )


def _packs() -> None:
    op.create_table(
        "packs",
        sa.Column("company", NAME, nullable=False),
        sa.Column("pack", NAME, nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("content", sa.JSON(), nullable=False),
        sa.Column("published_at_ms", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["company"], ["companies.company"], name=op.f("fk_packs_companies")
        ),
        sa.PrimaryKeyConstraint("company", "pack", "version", name=op.f("pk_packs")),
    )


def _orders() -> None:
    op.create_table(
        "orders",
        sa.Column("company", NAME, nullable=False),
        sa.Column("site", NAME, nullable=False),
        sa.Column("order_id", NAME, nullable=False),
        sa.Column("pack", NAME, nullable=False),
        sa.Column("pack_version", sa.BigInteger(), nullable=False),
        sa.Column("worker", NAME, nullable=False),
        sa.Column("resident", NAME, nullable=False),
        sa.Column("status", NAME, nullable=False),
        sa.Column("booked_from_ms", sa.BigInteger(), nullable=False),
        sa.Column("booked_until_ms", sa.BigInteger(), nullable=False),
        sa.Column("income_fen", sa.BigInteger(), nullable=False),
        sa.Column("codes", sa.JSON(), nullable=False),
        sa.Column("created_at_ms", sa.BigInteger(), nullable=False),
        sa.Column("ended_at_ms", sa.BigInteger(), nullable=True),
        sa.CheckConstraint(
            "status IN ('open', 'done', 'cancelled')", name=op.f("ck_orders_status_known")
        ),
        sa.CheckConstraint("income_fen >= 0", name=op.f("ck_orders_income_not_negative")),
        sa.ForeignKeyConstraint(
            ["company", "pack", "pack_version"],
            ["packs.company", "packs.pack", "packs.version"],
            name=op.f("fk_orders_packs"),
        ),
        sa.ForeignKeyConstraint(
            ["company", "site"], ["sites.company", "sites.site"], name=op.f("fk_orders_sites")
        ),
        sa.PrimaryKeyConstraint("company", "site", "order_id", name=op.f("pk_orders")),
    )
    op.create_index(
        "ix_orders_booked", "orders", ["company", "site", "booked_from_ms"], unique=False
    )
    op.create_index(
        "ix_orders_worker", "orders", ["company", "site", "worker", "booked_from_ms"], unique=False
    )


def _promises() -> None:
    op.create_table(
        "promises",
        sa.Column("company", NAME, nullable=False),
        sa.Column("site", NAME, nullable=False),
        sa.Column("order_id", NAME, nullable=False),
        sa.Column("node", NAME, nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("worker", NAME, nullable=False),
        sa.Column("node_kind", NAME, nullable=False),
        sa.Column("match", sa.Integer(), nullable=False),
        sa.Column("opens_at_ms", sa.BigInteger(), nullable=False),
        sa.Column("promised_at_ms", sa.BigInteger(), nullable=False),
        sa.Column("tolerance_ms", sa.BigInteger(), nullable=False),
        sa.Column("hard_ms", sa.BigInteger(), nullable=False),
        sa.Column("at_risk_ms", sa.BigInteger(), nullable=False),
        sa.Column("early_bp_per_hour", sa.Integer(), nullable=False),
        sa.Column("early_bp_max", sa.Integer(), nullable=False),
        sa.Column("weight", sa.Integer(), nullable=False),
        sa.Column("is_critical", sa.Boolean(), nullable=False),
        sa.Column("rate_fen", sa.BigInteger(), nullable=False),
        sa.Column("at_risk_at_ms", sa.BigInteger(), nullable=False),
        sa.Column("due_at_ms", sa.BigInteger(), nullable=False),
        sa.Column("hard_at_ms", sa.BigInteger(), nullable=False),
        sa.Column("is_withdrawn", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("verdict", sa.Integer(), server_default="0", nullable=False),
        sa.Column("revision", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("score_bp", sa.Integer(), server_default="0", nullable=False),
        sa.CheckConstraint("rate_fen >= 0", name=op.f("ck_promises_rate_not_negative")),
        sa.ForeignKeyConstraint(
            ["company", "site", "order_id"],
            ["orders.company", "orders.site", "orders.order_id"],
            name=op.f("fk_promises_orders"),
        ),
        sa.PrimaryKeyConstraint("company", "site", "order_id", "node", name=op.f("pk_promises")),
    )
    op.create_index(
        "ix_promises_promised", "promises", ["company", "site", "promised_at_ms"], unique=False
    )
    op.create_index(
        "ix_promises_verdict",
        "promises",
        ["company", "site", "verdict", "hard_at_ms"],
        unique=False,
    )
    op.create_index(
        "ix_promises_worker",
        "promises",
        ["company", "site", "worker", "node_kind", "promised_at_ms"],
        unique=False,
    )


def _verdicts() -> None:
    op.create_table(
        "verdicts",
        sa.Column("company", NAME, nullable=False),
        sa.Column("site", NAME, nullable=False),
        sa.Column("order_id", NAME, nullable=False),
        sa.Column("node", NAME, nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.Column("verdict", sa.Integer(), nullable=False),
        sa.Column("actual_at_ms", sa.BigInteger(), nullable=True),
        sa.Column("bound_ms", sa.BigInteger(), nullable=True),
        sa.Column("deviation_ms", sa.BigInteger(), nullable=False),
        sa.Column("score_bp", sa.Integer(), nullable=False),
        sa.Column("covered_until_ms", sa.BigInteger(), nullable=False),
        sa.Column("box", NAME, nullable=True),
        sa.Column("epoch", sa.LargeBinary(), nullable=True),
        sa.Column("sequence", sa.BigInteger(), nullable=True),
        sa.Column("block_hash", sa.LargeBinary(), nullable=True),
        sa.Column("decided_at_ms", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["company", "site", "order_id", "node"],
            ["promises.company", "promises.site", "promises.order_id", "promises.node"],
            name=op.f("fk_verdicts_promises"),
        ),
        sa.PrimaryKeyConstraint(
            "company", "site", "order_id", "node", "revision", name=op.f("pk_verdicts")
        ),
    )
    op.create_index(
        "ix_verdicts_decided", "verdicts", ["company", "site", "decided_at_ms"], unique=False
    )
