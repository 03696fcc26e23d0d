"""Anchors of boots, the times that they put right, and which part of a boot a block tells of."""

from typing import Final

import sqlalchemy as sa
from alembic import op

revision: Final = "m0009"
down_revision: Final = "m0008"
branch_labels: Final = None
depends_on: Final = None

NAME: Final = sa.Text().with_variant(sa.TEXT(collation="C"), "postgresql")
PLACE: Final = ("company", "site", "box")
RECORD: Final = (*PLACE, "epoch", "sequence")


def upgrade() -> None:
    """Create the tables; blocks that are stored may tell of any part of their boot."""
    op.add_column("blocks", sa.Column("mono_ns_min", sa.BigInteger(), nullable=True))
    op.add_column("blocks", sa.Column("mono_ns_max", sa.BigInteger(), nullable=True))
    op.create_index("ix_blocks_boot", "blocks", [*PLACE, "boot", "mono_ns_max"])
    _anchors()
    _corrections()
    _guard_anchors()


def _anchors() -> None:
    op.create_table(
        "anchors",
        *_record(),
        sa.Column("boot", sa.LargeBinary(), nullable=False),
        sa.Column("source", sa.Integer(), nullable=False),
        *(sa.Column(n, sa.BigInteger(), nullable=False) for n in ("mono_ns", "lo_ns", "hi_ns")),
        sa.ForeignKeyConstraint(
            PLACE, [f"boxes.{name}" for name in PLACE], name=op.f("fk_anchors_boxes")
        ),
        sa.PrimaryKeyConstraint(*RECORD, name=op.f("pk_anchors")),
    )
    op.create_index("ix_anchors_boot", "anchors", [*PLACE, "boot", "mono_ns"])


def _corrections() -> None:
    op.create_table(
        "corrections",
        *_record(),
        sa.Column("subject", NAME, nullable=False),
        sa.Column("wall_ms", sa.BigInteger(), nullable=False),
        sa.Column("bound_ms", sa.BigInteger(), nullable=False),
        sa.Column("clock_state", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            PLACE, [f"boxes.{name}" for name in PLACE], name=op.f("fk_corrections_boxes")
        ),
        sa.PrimaryKeyConstraint(*RECORD, name=op.f("pk_corrections")),
        sqlite_with_rowid=False,
    )
    op.create_index(
        "ix_corrections_subject",
        "corrections",
        ["company", "site", "subject", "wall_ms"],
        sqlite_where=sa.text("subject <> ''"),
        postgresql_where=sa.text("subject <> ''"),
    )


def _record() -> list[sa.Column[str] | sa.Column[bytes] | sa.Column[int]]:
    return [
        *(sa.Column(name, NAME, nullable=False) for name in PLACE),
        sa.Column("epoch", sa.LargeBinary(), nullable=False),
        sa.Column("sequence", sa.BigInteger(), nullable=False),
    ]


def _guard_anchors() -> None:
    if op.get_bind().dialect.name == "sqlite":
        for act in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER anchors_{act.lower()} BEFORE {act} ON anchors "
                "BEGIN SELECT RAISE(ABORT, 'anchors: only grows'); END"
            )
        return
    for act, each in (("UPDATE", "ROW"), ("DELETE", "ROW"), ("TRUNCATE", "STATEMENT")):
        op.execute(
            f"CREATE TRIGGER anchors_{act.lower()} BEFORE {act} ON anchors FOR EACH {each} "
            "EXECUTE FUNCTION duifu_refuse('only grows')"
        )
