"""Keys of boxes, signatures of blocks, and records that are shown before they are committed."""

from typing import Final

import sqlalchemy as sa
from alembic import op

revision: Final = "m0007"
down_revision: Final = "m0006"
branch_labels: Final = None
depends_on: Final = None

NAME: Final = sa.Text().with_variant(sa.TEXT(collation="C"), "postgresql")
PLACE: Final = ("company", "site", "box")


def upgrade() -> None:
    """Create the tables; what is stored stays as it is, unsigned as it came."""
    _box_keys()
    _previews()
    op.add_column("boxes", sa.Column("key_number", sa.BigInteger(), nullable=True))
    op.add_column("boxes", sa.Column("offered_key", sa.LargeBinary(), nullable=True))
    op.add_column("blocks", sa.Column("signature", sa.LargeBinary(), nullable=True))
    op.add_column("blocks", sa.Column("key_number", sa.BigInteger(), nullable=True))
    _guard_keys()


def _box_keys() -> None:
    op.create_table(
        "box_keys",
        *(sa.Column(name, NAME, nullable=False) for name in PLACE),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("public_key", sa.LargeBinary(), nullable=False),
        sa.Column("how", NAME, nullable=False),
        sa.Column("accepted_at_ms", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            PLACE, [f"boxes.{name}" for name in PLACE], name=op.f("fk_box_keys_boxes")
        ),
        sa.PrimaryKeyConstraint(*PLACE, "number", name=op.f("pk_box_keys")),
    )


def _previews() -> None:
    whole = ("sequence", "wall_ms", "bound_ms")
    names = ("device", "node_kind", "subject", "reference")
    op.create_table(
        "previews",
        *(sa.Column(name, NAME, nullable=False) for name in PLACE),
        sa.Column("epoch", sa.LargeBinary(), nullable=False),
        *(sa.Column(name, sa.BigInteger(), nullable=False) for name in whole),
        sa.Column("clock_state", sa.Integer(), nullable=False),
        sa.Column("evidence", sa.Integer(), nullable=False),
        *(sa.Column(name, NAME, nullable=False) for name in names),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("seen_at_ms", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            PLACE, [f"boxes.{name}" for name in PLACE], name=op.f("fk_previews_boxes")
        ),
        sa.PrimaryKeyConstraint(*PLACE, "epoch", "sequence", name=op.f("pk_previews")),
    )


def _guard_keys() -> None:
    if op.get_bind().dialect.name == "sqlite":
        for act in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER box_keys_{act.lower()} BEFORE {act} ON box_keys "
                "BEGIN SELECT RAISE(ABORT, 'box_keys: only grows'); END"
            )
        return
    for act, each in (("UPDATE", "ROW"), ("DELETE", "ROW"), ("TRUNCATE", "STATEMENT")):
        op.execute(
            f"CREATE TRIGGER box_keys_{act.lower()} BEFORE {act} ON box_keys FOR EACH {each} "
            "EXECUTE FUNCTION duifu_refuse('only grows')"
        )
