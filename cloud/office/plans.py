"""Checks, publishes and tries plans."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from pydantic import ValidationError
from sqlalchemy import Connection, Engine

from agreed.words import say
from agreed.wrong_fields import explain
from cloud.database import plan_books, schema
from cloud.database.engine import writing
from cloud.database.fleet import Place, at
from cloud.database.masters import newest_packs
from cloud.database.plan_books import COMPANY_WIDE, PublishedPlan
from cloud.database.read_facts import read_facts
from cloud.office.refusals import ConflictError, InvalidError, UnknownError
from cloud.settlement.past import to_past
from cloud.settlement.periods import after
from cloud.settlement.plans import Plan
from cloud.settlement.whatif import Change, Trial, compare, try_plan

MONTHS_MAX: Final = 36


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong with a plan: the field, and a sentence that names it."""

    field: str
    message: str


@dataclass(frozen=True, slots=True)
class Tried:
    """A plan on past months, beside the plan that is in force.

    Attributes:
        lines: nodes that were settled.
        before: None where no plan was in force in one of the months; then only `after` is known.
        changes: who gains and who loses, the greatest loss first; empty without `before`.
    """

    lines: int
    before: Trial | None
    after: Trial
    changes: list[Change]


def check_plan(content: Any) -> Plan | list[Fault]:
    """Read a plan as it was entered; or say everything that is wrong with it."""
    try:
        return Plan.model_validate(content)
    except ValidationError as error:
        return [_fault(found) for found in error.errors()]


def publish_plan(engine: Engine, company: str, plan: Plan, published_by: str, now_ms: int) -> int:
    """Publish a plan as the next version of its key; gives the version.

    Raises:
        UnknownError: no such site, pack or node.
        ConflictError: the site has a plan of another key, or a month it would change is closed.
    """
    with writing(engine) as connection:
        _check_site(connection, company, plan)
        _check_nodes(connection, company, plan)
        _check_key(connection, company, plan)
        _check_open(connection, company, plan)
        return plan_books.add_plan(connection, company, plan, published_by, now_ms)


def find_plan(
    connection: Connection, company: str, key: str, version: int | None = None
) -> PublishedPlan:
    """Find a version of a plan, the newest where none is named.

    Raises:
        UnknownError: there is none.
    """
    sites = {p.plan.site for p in plan_books.newest_plans(connection, company) if p.plan.key == key}
    for site in sites:
        for found in plan_books.plan_versions(connection, company, site or COMPANY_WIDE):
            if found.plan.key == key and version in {None, found.version}:
                return found
    raise UnknownError("plan", say("There is no such plan: {plan}.", plan=key))


def try_on_past(
    connection: Connection, company: str, plan: Plan, from_period: str, until_period: str
) -> Tried:
    """Settle past months of every site of the plan under it, and under the plans in force.

    Raises:
        InvalidError: no months, or too many.
    """
    periods = _periods(from_period, until_period)
    places = _places(connection, company, plan)
    months = [read_facts(connection, p, period, plan) for p in places for period in periods]
    past = to_past(months)
    tried = try_plan(plan, past)
    before = _before(connection, places, periods)
    return Tried(past.lines, before, tried, compare(before, tried) if before else [])


def _fault(found: Mapping[str, Any]) -> Fault:
    place = ".".join(str(part) for part in found["loc"])
    return Fault(*explain(found, place, say("the whole plan")))


def _check_site(connection: Connection, company: str, plan: Plan) -> None:
    if plan.site and plan.site not in {p.site for p in _all_places(connection, company)}:
        raise UnknownError("site", say("There is no site {site}.", site=plan.site))


def _check_nodes(connection: Connection, company: str, plan: Plan) -> None:
    known = {pack.key: pack for _version, pack in newest_packs(connection, company)}
    for i, pack in enumerate(plan.waterfall.income_from):
        if pack not in known:
            field = f"waterfall.income_from.{i}"
            raise UnknownError(field, say("There is no pack {pack}.", pack=pack))
    named = [(f"rates.{i}", rate.pack, rate.node) for i, rate in enumerate(plan.rates)]
    named += [(f"splits.{i}", split.pack, split.node) for i, split in enumerate(plan.splits)]
    for field, pack_key, node in named:
        found = known.get(pack_key)
        if found is None or found.node(node) is None:
            raise UnknownError(
                field, say("Pack {pack} has no node {node}.", pack=pack_key, node=node)
            )


def _check_key(connection: Connection, company: str, plan: Plan) -> None:
    for found in plan_books.newest_plans(connection, company):
        same_site, same_key = found.plan.site == plan.site, found.plan.key == plan.key
        if same_site != same_key:
            raise ConflictError(
                "key",
                say(
                    "Plan {key} is that of {site}; one plan has one key, with versions.",
                    key=found.plan.key,
                    site=found.plan.site or say("the whole company"),
                ),
            )


def _check_open(connection: Connection, company: str, plan: Plan) -> None:
    sites = schema.sites
    for place in _places(connection, company, plan):
        row = connection.execute(sites.select().where(at(sites, place))).one()
        if plan.from_period <= row.closed_through:
            raise ConflictError(
                "from_period",
                say(
                    "{month} is closed at site {site}; begin with {next} or later.",
                    month=row.closed_through,
                    site=place.site,
                    next=after(row.closed_through),
                ),
            )


def _before(connection: Connection, places: list[Place], periods: list[str]) -> Trial | None:
    """Settle the same months under the plans in force; one trial where it is one plan."""
    found: dict[tuple[str, int], tuple[Plan, list[Any]]] = {}
    for place in places:
        for period in periods:
            published = plan_books.plan_in_force(connection, place, period)
            if published is None:
                return None
            key = published.plan.key, published.version
            facts = read_facts(connection, place, period, published.plan)
            found.setdefault(key, (published.plan, []))[1].append(facts)
    trials = [try_plan(plan, to_past(months)) for plan, months in found.values()]
    return trials[0] if len(trials) == 1 else joined(trials)


def joined(trials: list[Trial]) -> Trial:
    """Put trials of different plans together; how pay follows scores is not comparable then."""
    paid: dict[str, int] = {}
    for trial in trials:
        for worker, fen in trial.paid_fen.items():
            paid[worker] = paid.get(worker, 0) + fen
    profit_fen = sum(trial.new_profit_fen for trial in trials)
    wages_fen = sum(trial.wages_fen for trial in trials)
    return Trial(
        tuple(result for trial in trials for result in trial.results),
        dict(sorted(paid.items())),
        sum(trial.company_fen for trial in trials),
        profit_fen,
        wages_fen,
        profit_fen * 10_000 // wages_fen if wages_fen else None,
        (),
    )


def _periods(from_period: str, until_period: str) -> list[str]:
    periods = [from_period]
    while periods[-1] < until_period and len(periods) <= MONTHS_MAX:
        periods.append(after(periods[-1]))
    if periods[-1] != until_period or len(periods) > MONTHS_MAX:
        text = say("name the first and the last month, at most {count} of them.", count=MONTHS_MAX)
        raise InvalidError("until_period", text)
    return periods


def _places(connection: Connection, company: str, plan: Plan) -> list[Place]:
    places = _all_places(connection, company)
    if plan.site:
        return [place for place in places if place.site == plan.site]
    own = {p.plan.site for p in plan_books.newest_plans(connection, company)}
    return [place for place in places if place.site not in own]


def _all_places(connection: Connection, company: str) -> list[Place]:
    sites = schema.sites
    query = sites.select().where(sites.c.company == company).order_by(sites.c.site)
    return [Place(company, row.site) for row in connection.execute(query)]
