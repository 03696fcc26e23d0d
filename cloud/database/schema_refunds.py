"""The table of refunds: what went back to residents, and why."""

from typing import Final

from sqlalchemy import (
    CheckConstraint,
    Column,
    Index,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
)

from cloud.database.columns import metadata, name, names, whole, within

# Only grows: a refund is never changed. An order is refunded in parts, or in full.
refunds: Final = Table(
    "refunds",
    metadata,
    *names("company", "site", "order_id"),
    whole("refund"),  # number, from 1, of this order
    name("key"),  # idempotency: the same key is never refunded twice
    whole("amount_fen"),
    Column("cause", Text, nullable=False),
    whole("at_ms"),
    name("period"),  # the month it counts for: the order's own, or the first open one
    PrimaryKeyConstraint("company", "site", "order_id", "refund"),
    UniqueConstraint("company", "site", "key"),
    within("orders", "company", "site", "order_id"),
    CheckConstraint("amount_fen > 0", name="amount_positive"),
    CheckConstraint("length(period) = 7", name="period_is_a_month"),
    Index("ix_refunds_period", "company", "site", "period"),
)
