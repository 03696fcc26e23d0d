"""Plans: versions of dated rules; they only grow."""

from typing import Final

import sqlalchemy as sa
from alembic import op

revision: Final = "m0008"
down_revision: Final = "m0007"
branch_labels: Final = None
depends_on: Final = None

NAME: Final = sa.Text().with_variant(sa.TEXT(collation="C"), "postgresql")


def upgrade() -> None:
    """Create the table and its guards."""
    op.create_table(
        "plans",
        *(sa.Column(name, NAME, nullable=False) for name in ("company", "site", "plan")),
        sa.Column("version", sa.BigInteger(), nullable=False),
        *(sa.Column(name, NAME, nullable=False) for name in ("from_period", "published_by")),
        sa.Column("published_at_ms", sa.BigInteger(), nullable=False),
        sa.Column("content", sa.JSON(), nullable=False),
        sa.CheckConstraint("version >= 1", name=op.f("ck_plans_version_from_one")),
        sa.CheckConstraint("length(from_period) = 7", name=op.f("ck_plans_from_period_is_a_month")),
        sa.ForeignKeyConstraint(
            ["company"], ["companies.company"], name=op.f("fk_plans_companies")
        ),
        sa.PrimaryKeyConstraint("company", "site", "plan", "version", name=op.f("pk_plans")),
    )
    op.create_index("ix_plans_in_force", "plans", ["company", "site", "from_period"])
    is_sqlite = op.get_bind().dialect.name == "sqlite"
    for act in ("UPDATE", "DELETE"):
        op.execute(_guard_sqlite(act) if is_sqlite else _guard_postgresql(act, "ROW"))
    if not is_sqlite:
        op.execute(_guard_postgresql("TRUNCATE", "STATEMENT"))


def _guard_sqlite(act: str) -> str:
    return (
        f"CREATE TRIGGER plans_{act.lower()} BEFORE {act} ON plans "
        "BEGIN SELECT RAISE(ABORT, 'plans: only grows'); END"
    )


def _guard_postgresql(act: str, each: str) -> str:
    return (
        f"CREATE TRIGGER plans_{act.lower()} BEFORE {act} ON plans FOR EACH {each} "
        "EXECUTE FUNCTION duifu_refuse('only grows')"
    )
