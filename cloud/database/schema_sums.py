"""Tables of what a month adds up to so far: kept to be read again, never the truth of anything."""

from typing import Final

from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    ForeignKeyConstraint,
    Index,
    PrimaryKeyConstraint,
    Table,
    text,
)

from cloud.database.columns import metadata, name, names, whole, within

_MONTH: Final = ("company", "site", "period", "made_by")

# The orders of a month under one plan, added up: see `cloud.settlement.order_sums`. While a row is
# here, triggers mark what changes in its time.
month_sums: Final = Table(
    "month_sums",
    metadata,
    *names("company", "site", "period"),
    name("made_by"),  # hex SHA-256: of the plan, and of how orders are added up
    whole("from_ms"),
    whole("until_ms"),
    Column("content", JSON, nullable=False),
    PrimaryKeyConstraint(*_MONTH),
    within("sites", "company", "site"),
    Index("ix_month_sums_until", "company", "site", "until_ms"),
)

# What each order has in such a sum. A stale one changed since, or is new.
order_sums: Final = Table(
    "order_sums",
    metadata,
    *names("company", "site", "order_id", "period", "made_by"),
    Column("is_stale", Boolean, nullable=False, server_default=text("false")),
    Column("content", JSON, nullable=False, server_default="[]"),
    PrimaryKeyConstraint("company", "site", "order_id", "period", "made_by"),
    ForeignKeyConstraint(_MONTH, [f"month_sums.{column}" for column in _MONTH]),
    Index("ix_order_sums_stale", *_MONTH, "is_stale"),
)

# What moved on the accounts of payees since a month began, up to a transfer.
month_moves: Final = Table(
    "month_moves",
    metadata,
    *names("company", "site", "period"),
    whole("through_transfer"),
    Column("content", JSON, nullable=False),
    PrimaryKeyConstraint("company", "site", "period"),
    within("sites", "company", "site"),
)
