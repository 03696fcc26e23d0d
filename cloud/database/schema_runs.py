"""Tables of settlement runs, of the people who act on them, and of disputes."""

from typing import Final

from sqlalchemy import (
    JSON,
    CheckConstraint,
    Column,
    ForeignKeyConstraint,
    Index,
    PrimaryKeyConstraint,
    Table,
    Text,
    text,
)

from cloud.database.columns import NAME, metadata, name, names, one_of, whole, within

RUN_STATUSES: Final = ("previewed", "reviewed", "approved", "posted", "paid", "discarded")
DISPUTE_STATUSES: Final = ("open", "granted", "refused")
_RUN: Final = ("company", "site", "period", "run")

# People with a token of their own; the operator's token is no row here.
users: Final = Table(
    "users",
    metadata,
    *names("company", "user_id"),
    Column("name", Text, nullable=False),
    Column("roles", JSON, nullable=False),  # list of `cloud.office.users.Duty`
    name("token_hash"),  # hex SHA-256
    whole("created_at_ms"),
    whole("ended_at_ms", nullable=True),
    PrimaryKeyConstraint("company", "user_id"),
    within("companies", "company"),
)

# One attempt to settle a site's month; its lines never change, its status goes one way.
runs: Final = Table(
    "runs",
    metadata,
    *names("company", "site", "period"),
    whole("run"),  # number, from 1
    *names("status", "hash"),  # hex SHA-256 over the canonical lines
    name("plan"),  # key and version of the plan in force; "" for piece rates alone
    name("prepared_by"),
    whole("prepared_at_ms"),
    Column("approved_by", NAME, nullable=True),
    PrimaryKeyConstraint(*_RUN),
    within("sites", "company", "site"),
    one_of("status", RUN_STATUSES),
    CheckConstraint("length(period) = 7", name="period_is_a_month"),
    CheckConstraint("approved_by IS NULL OR approved_by <> prepared_by", name="second_person"),
    CheckConstraint(
        "status NOT IN ('approved', 'posted', 'paid') OR approved_by IS NOT NULL",
        name="approved_by_somebody",
    ),
    Index(
        "uq_runs_live",
        "company",
        "site",
        "period",
        unique=True,
        sqlite_where=text("status <> 'discarded'"),
        postgresql_where=text("status <> 'discarded'"),
    ),
)

run_acts: Final = Table(
    "run_acts",
    metadata,
    *names("company", "site", "period"),
    whole("run"),
    whole("act"),  # number, from 1
    *names("status", "who"),  # what it led to, and who did it
    whole("at_ms"),
    Column("note", Text, nullable=False),
    PrimaryKeyConstraint(*_RUN, "act"),
    ForeignKeyConstraint(_RUN, [f"runs.{column}" for column in _RUN]),
)

run_lines: Final = Table(
    "run_lines",
    metadata,
    *names("company", "site", "period"),
    whole("run"),
    whole("position"),  # from 1, in canonical order
    *names("payee", "rule"),
    whole("amount_fen"),  # signed
    Column("formula", Text, nullable=False),
    Column("inputs", JSON, nullable=False),
    PrimaryKeyConstraint(*_RUN, "position"),
    ForeignKeyConstraint(_RUN, [f"runs.{column}" for column in _RUN]),
)

disputes: Final = Table(
    "disputes",
    metadata,
    *names("company", "site"),
    whole("dispute"),  # number, from 1
    *names("worker", "period"),
    name("line"),  # what is disputed: "order/node/revision", or "rule:NAME" of a run
    Column("claim", Text, nullable=False),
    name("opened_by"),
    whole("opened_at_ms"),
    name("status"),
    whole("amount_fen", server_default="0"),  # granted
    Column("decided_by", NAME, nullable=True),
    whole("decided_at_ms", nullable=True),
    Column("decision", Text, nullable=False, server_default=""),
    PrimaryKeyConstraint("company", "site", "dispute"),
    within("sites", "company", "site"),
    one_of("status", DISPUTE_STATUSES),
    CheckConstraint("(status = 'open') = (decided_by IS NULL)", name="decided_by_somebody"),
    CheckConstraint(
        "amount_fen >= 0 AND (status = 'granted') = (amount_fen > 0)", name="granted_amount"
    ),
    Index("ix_disputes_worker", "company", "site", "worker", "period"),
)
