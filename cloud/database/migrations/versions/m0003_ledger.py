"""Accounts, transfers and statement lines."""

from typing import Final

import sqlalchemy as sa
from alembic import op

revision: Final = "m0003"
down_revision: Final = "m0002"
branch_labels: Final = None
depends_on: Final = None

NAME: Final = sa.Text().with_variant(sa.TEXT(collation="C"), "postgresql")


def upgrade() -> None:
    """Create the tables."""
    _accounts()
    _transfers()
    _lines()


def _accounts() -> None:
    op.create_table(
        "accounts",
        sa.Column("company", NAME, nullable=False),
        sa.Column("site", NAME, nullable=False),
        sa.Column("account", NAME, nullable=False),
        sa.Column("kind", NAME, nullable=False),
        sa.Column("debits_fen", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("credits_fen", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("last_transfer", sa.BigInteger(), server_default="0", nullable=False),
        sa.CheckConstraint(
            "kind = 'outside' OR credits_fen >= debits_fen", name=op.f("ck_accounts_not_overdrawn")
        ),
        sa.CheckConstraint(
            "kind IN ('outside', 'income', 'supplier', 'platform', 'new_profit', 'retained', "
            "'pool', 'commission', 'wage_fund', 'wage')",
            name=op.f("ck_accounts_kind_known"),
        ),
        sa.ForeignKeyConstraint(
            ["company", "site"], ["sites.company", "sites.site"], name=op.f("fk_accounts_sites")
        ),
        sa.PrimaryKeyConstraint("company", "site", "account", name=op.f("pk_accounts")),
        sa.UniqueConstraint(
            "company", "site", "account", "kind", name=op.f("uq_accounts_company_site_account_kind")
        ),
    )


def _transfers() -> None:
    op.create_table(
        "transfers",
        sa.Column("company", NAME, nullable=False),
        sa.Column("site", NAME, nullable=False),
        sa.Column("transfer", sa.BigInteger(), nullable=False),
        sa.Column("key", NAME, nullable=False),
        sa.Column("kind", NAME, nullable=False),
        sa.Column("debit", NAME, nullable=False),
        sa.Column("debit_kind", NAME, nullable=False),
        sa.Column("credit", NAME, nullable=False),
        sa.Column("credit_kind", NAME, nullable=False),
        sa.Column("amount_fen", sa.BigInteger(), nullable=False),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.Column("recorded_at_ms", sa.BigInteger(), nullable=False),
        sa.Column("order_id", NAME, nullable=False),
        sa.Column("reason", sa.JSON(), nullable=False),
        sa.CheckConstraint(
            "kind <> 'commission' OR (debit_kind = 'pool' AND credit_kind = 'commission')",
            name=op.f("ck_transfers_commission_from_pool"),
        ),
        sa.CheckConstraint(
            "kind <> 'commission_reversal' OR (debit_kind = 'commission' AND credit_kind = 'pool')",
            name=op.f("ck_transfers_reversal_to_pool"),
        ),
        sa.CheckConstraint(
            "kind = 'wage' OR (debit_kind NOT IN ('wage', 'wage_fund')"
            " AND credit_kind NOT IN ('wage', 'wage_fund'))",
            name=op.f("ck_transfers_base_wages_untouched"),
        ),
        sa.CheckConstraint(
            "kind IN ('income', 'waterfall', 'income_reversal', 'funding', 'commission', "
            "'commission_reversal', 'wage')",
            name=op.f("ck_transfers_kind_known"),
        ),
        sa.CheckConstraint("amount_fen > 0", name=op.f("ck_transfers_amount_positive")),
        sa.CheckConstraint("debit <> credit", name=op.f("ck_transfers_two_accounts")),
        sa.ForeignKeyConstraint(
            ["company", "site", "credit", "credit_kind"],
            ["accounts.company", "accounts.site", "accounts.account", "accounts.kind"],
            name="fk_transfers_credit",
        ),
        sa.ForeignKeyConstraint(
            ["company", "site", "debit", "debit_kind"],
            ["accounts.company", "accounts.site", "accounts.account", "accounts.kind"],
            name="fk_transfers_debit",
        ),
        sa.PrimaryKeyConstraint("company", "site", "transfer", name=op.f("pk_transfers")),
        sa.UniqueConstraint("company", "site", "key", name=op.f("uq_transfers_company_site_key")),
    )
    op.create_index(
        "ix_transfers_credit", "transfers", ["company", "site", "credit", "transfer"], unique=False
    )
    op.create_index(
        "ix_transfers_debit", "transfers", ["company", "site", "debit", "transfer"], unique=False
    )
    op.create_index(
        "ix_transfers_order", "transfers", ["company", "site", "order_id"], unique=False
    )


def _lines() -> None:
    op.create_table(
        "lines",
        sa.Column("company", NAME, nullable=False),
        sa.Column("site", NAME, nullable=False),
        sa.Column("order_id", NAME, nullable=False),
        sa.Column("node", NAME, nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.Column("kind", NAME, nullable=False),
        sa.Column("worker", NAME, nullable=False),
        sa.Column("status", NAME, nullable=False),
        sa.Column("verdict", sa.Integer(), nullable=False),
        sa.Column("amount_fen", sa.BigInteger(), nullable=False),
        sa.Column("transfer", sa.BigInteger(), nullable=True),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.Column("recorded_at_ms", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.JSON(), nullable=False),
        sa.CheckConstraint(
            "(status = 'posted') = (transfer IS NOT NULL)",
            name=op.f("ck_lines_posted_has_transfer"),
        ),
        sa.CheckConstraint("kind IN ('pay', 'reversal')", name=op.f("ck_lines_kind_known")),
        sa.CheckConstraint(
            "status IN ('posted', 'held', 'nothing', 'withdrawn')",
            name=op.f("ck_lines_status_known"),
        ),
        sa.ForeignKeyConstraint(
            ["company", "site", "order_id", "node", "revision"],
            [
                "verdicts.company",
                "verdicts.site",
                "verdicts.order_id",
                "verdicts.node",
                "verdicts.revision",
            ],
            name=op.f("fk_lines_verdicts"),
        ),
        sa.PrimaryKeyConstraint(
            "company", "site", "order_id", "node", "revision", "kind", name=op.f("pk_lines")
        ),
    )
    op.create_index("ix_lines_status", "lines", ["company", "site", "status"], unique=False)
    op.create_index(
        "ix_lines_worker", "lines", ["company", "site", "worker", "at_ms"], unique=False
    )
