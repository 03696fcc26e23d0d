"""Companies, sites, boxes and what the boxes sent."""

from typing import Final

import sqlalchemy as sa
from alembic import op

revision: Final = "m0001"
down_revision: Final = None
branch_labels: Final = None
depends_on: Final = None

NAME: Final = sa.Text().with_variant(sa.TEXT(collation="C"), "postgresql")


def upgrade() -> None:
    """Create the tables."""
    _companies()
    _sites()
    _boxes()
    _journals()
    _incidents()
    _blocks()
    _records()
    _directives()


def _companies() -> None:
    op.create_table(
        "companies",
        sa.Column("company", NAME, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("utc_offset_minutes", sa.Integer(), server_default="480", nullable=False),
        sa.Column("created_at_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("company", name=op.f("pk_companies")),
    )


def _sites() -> None:
    op.create_table(
        "sites",
        sa.Column("company", NAME, nullable=False),
        sa.Column("site", NAME, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("covered_until_ms", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("created_at_ms", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["company"], ["companies.company"], name=op.f("fk_sites_companies")
        ),
        sa.PrimaryKeyConstraint("company", "site", name=op.f("pk_sites")),
    )


def _boxes() -> None:
    op.create_table(
        "boxes",
        sa.Column("company", NAME, nullable=False),
        sa.Column("site", NAME, nullable=False),
        sa.Column("box", NAME, nullable=False),
        sa.Column("status", NAME, nullable=False),
        sa.Column("added_at_ms", sa.BigInteger(), nullable=False),
        sa.Column("accepted_at_ms", sa.BigInteger(), nullable=True),
        sa.Column("epoch", sa.LargeBinary(), nullable=True),
        sa.Column("last_heard_at_ms", sa.BigInteger(), nullable=True),
        sa.Column("is_online", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("presence_at_ms", sa.BigInteger(), nullable=True),
        sa.Column("last_status", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("last_status_at_ms", sa.BigInteger(), nullable=True),
        sa.Column("incident", NAME, nullable=True),
        sa.Column("directive_stream", sa.LargeBinary(), nullable=False),
        sa.Column("directives_through", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("applied_through", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("credential_number", sa.BigInteger(), server_default="0", nullable=False),
        sa.CheckConstraint(
            "status IN ('pending', 'accepted', 'retired')", name=op.f("ck_boxes_status_known")
        ),
        sa.ForeignKeyConstraint(
            ["company", "site"], ["sites.company", "sites.site"], name=op.f("fk_boxes_sites")
        ),
        sa.PrimaryKeyConstraint("company", "site", "box", name=op.f("pk_boxes")),
    )


def _journals() -> None:
    op.create_table(
        "journals",
        sa.Column("company", NAME, nullable=False),
        sa.Column("site", NAME, nullable=False),
        sa.Column("box", NAME, nullable=False),
        sa.Column("epoch", sa.LargeBinary(), nullable=False),
        sa.Column("begun_at_ms", sa.BigInteger(), nullable=False),
        sa.Column("committed_through", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("committed_head", sa.LargeBinary(), nullable=False),
        sa.Column("covered_until_ms", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("is_refused", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.ForeignKeyConstraint(
            ["company", "site", "box"],
            ["boxes.company", "boxes.site", "boxes.box"],
            name=op.f("fk_journals_boxes"),
        ),
        sa.PrimaryKeyConstraint("company", "site", "box", "epoch", name=op.f("pk_journals")),
    )


def _incidents() -> None:
    op.create_table(
        "incidents",
        sa.Column("company", NAME, nullable=False),
        sa.Column("site", NAME, nullable=False),
        sa.Column("box", NAME, nullable=False),
        sa.Column("incident", sa.BigInteger(), nullable=False),
        sa.Column("kind", NAME, nullable=False),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.Column("detail", sa.JSON(), nullable=False),
        sa.Column("resolved_at_ms", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["company", "site", "box"],
            ["boxes.company", "boxes.site", "boxes.box"],
            name=op.f("fk_incidents_boxes"),
        ),
        sa.PrimaryKeyConstraint("company", "site", "box", "incident", name=op.f("pk_incidents")),
    )


def _blocks() -> None:
    op.create_table(
        "blocks",
        sa.Column("company", NAME, nullable=False),
        sa.Column("site", NAME, nullable=False),
        sa.Column("box", NAME, nullable=False),
        sa.Column("epoch", sa.LargeBinary(), nullable=False),
        sa.Column("first", sa.BigInteger(), nullable=False),
        sa.Column("last", sa.BigInteger(), nullable=False),
        sa.Column("boot", sa.LargeBinary(), nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.Column("previous", sa.LargeBinary(), nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.Column("received_at_ms", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["company", "site", "box", "epoch"],
            ["journals.company", "journals.site", "journals.box", "journals.epoch"],
            name=op.f("fk_blocks_journals"),
        ),
        sa.PrimaryKeyConstraint("company", "site", "box", "epoch", "first", name=op.f("pk_blocks")),
    )


def _records() -> None:
    op.create_table(
        "records",
        sa.Column("company", NAME, nullable=False),
        sa.Column("site", NAME, nullable=False),
        sa.Column("box", NAME, nullable=False),
        sa.Column("epoch", sa.LargeBinary(), nullable=False),
        sa.Column("sequence", sa.BigInteger(), nullable=False),
        sa.Column("wall_ms", sa.BigInteger(), nullable=False),
        sa.Column("bound_ms", sa.BigInteger(), nullable=False),
        sa.Column("mono_ns", sa.BigInteger(), nullable=False),
        sa.Column("clock_state", sa.Integer(), nullable=False),
        sa.Column("evidence", sa.Integer(), nullable=False),
        sa.Column("device", NAME, nullable=False),
        sa.Column("node_kind", NAME, nullable=False),
        sa.Column("subject", NAME, nullable=False),
        sa.Column("reference", NAME, nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("block_first", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint(
            "company", "site", "box", "epoch", "sequence", name=op.f("pk_records")
        ),
        sqlite_with_rowid=False,
    )
    op.create_index(
        "ix_records_reference",
        "records",
        ["company", "site", "reference"],
        unique=False,
        sqlite_where=sa.text("reference <> ''"),
        postgresql_where=sa.text("reference <> ''"),
    )
    op.create_index(
        "ix_records_subject",
        "records",
        ["company", "site", "subject", "wall_ms"],
        unique=False,
        sqlite_where=sa.text("subject <> ''"),
        postgresql_where=sa.text("subject <> ''"),
    )


def _directives() -> None:
    op.create_table(
        "directives",
        sa.Column("company", NAME, nullable=False),
        sa.Column("site", NAME, nullable=False),
        sa.Column("box", NAME, nullable=False),
        sa.Column("stream", sa.LargeBinary(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("issued_at_ms", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["company", "site", "box"],
            ["boxes.company", "boxes.site", "boxes.box"],
            name=op.f("fk_directives_boxes"),
        ),
        sa.PrimaryKeyConstraint(
            "company", "site", "box", "stream", "number", name=op.f("pk_directives")
        ),
    )
