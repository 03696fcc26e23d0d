"""Keeps versions of plans, and finds the one in force for a month."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, insert, select

from cloud.database.fleet import Place
from cloud.database.schema_plans import plans
from cloud.settlement.plans import Plan

COMPANY_WIDE = ""
"""The site of plans that hold wherever a site has none of its own."""


@dataclass(frozen=True, slots=True)
class PublishedPlan:
    """One version of a plan, as it was published."""

    version: int
    published_by: str
    published_at_ms: int
    plan: Plan


def add_plan(
    connection: Connection, company: str, plan: Plan, published_by: str, now_ms: int
) -> int:
    """Publish a plan as its next version; the same content again gives the version there is."""
    held = plan_versions(connection, company, plan.site or COMPANY_WIDE)
    same = [found for found in held if found.plan.key == plan.key]
    if same and same[0].plan == plan:
        return same[0].version
    version = same[0].version + 1 if same else 1
    connection.execute(
        insert(plans).values(
            company=company,
            site=plan.site or COMPANY_WIDE,
            plan=plan.key,
            version=version,
            from_period=plan.from_period,
            published_by=published_by,
            published_at_ms=now_ms,
            content=plan.model_dump(mode="json"),
        )
    )
    return version


def plan_versions(connection: Connection, company: str, site: str) -> list[PublishedPlan]:
    """List every version of a site's plan, or of the company's; the newest first."""
    query = select(plans).where(plans.c.company == company, plans.c.site == site)
    return [_published(row) for row in connection.execute(query.order_by(plans.c.version.desc()))]


def newest_plans(connection: Connection, company: str) -> list[PublishedPlan]:
    """List the newest version of each plan of a company."""
    query = select(plans).where(plans.c.company == company)
    newest: dict[str, Row[Any]] = {}
    for row in connection.execute(query.order_by(plans.c.site, plans.c.version)):
        newest[row.site] = row
    return [_published(row) for row in newest.values()]


def plan_in_force(connection: Connection, place: Place, period: str) -> PublishedPlan | None:
    """Find the plan that settles a month: the site's own, else the company's; None for neither.

    Of the versions that begin with the month or before it, the newest counts.
    """
    for site in (place.site, COMPANY_WIDE):
        query = (
            select(plans)
            .where(
                plans.c.company == place.company,
                plans.c.site == site,
                plans.c.from_period <= period,
            )
            .order_by(plans.c.version.desc())
            .limit(1)
        )
        row = connection.execute(query).one_or_none()
        if row is not None:
            return _published(row)
    return None


def plan_of_name(connection: Connection, place: Place, name: str) -> Plan:
    """Find the plan that a run followed, by its key and version as "spring/2"."""
    key, _, version = name.rpartition("/")
    for site in (place.site, COMPANY_WIDE):
        for published in plan_versions(connection, place.company, site):
            if (published.plan.key, str(published.version)) == (key, version):
                return published.plan
    raise AssertionError(f"a run followed {name}, and plans are never deleted")


def _published(row: Row[Any]) -> PublishedPlan:
    plan = Plan.model_validate(row.content)
    return PublishedPlan(row.version, row.published_by, row.published_at_ms, plan)
