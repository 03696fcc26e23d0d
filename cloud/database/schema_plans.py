"""The table of plans: versions of dated rules that turn fulfilment into money."""

from typing import Final

from sqlalchemy import JSON, CheckConstraint, Column, Index, PrimaryKeyConstraint, Table

from cloud.database.columns import metadata, names, whole, within

# A version is never changed. One key belongs to one site, or to the company where site is "".
plans: Final = Table(
    "plans",
    metadata,
    *names("company", "site", "plan"),
    whole("version"),  # from 1, of this key
    *names("from_period", "published_by"),
    whole("published_at_ms"),
    Column("content", JSON, nullable=False),  # `cloud.settlement.plans.Plan`
    PrimaryKeyConstraint("company", "site", "plan", "version"),
    within("companies", "company"),
    CheckConstraint("version >= 1", name="version_from_one"),
    CheckConstraint("length(from_period) = 7", name="from_period_is_a_month"),
    Index("ix_plans_in_force", "company", "site", "from_period"),
)
