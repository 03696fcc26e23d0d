"""Routes for plans: check, publish, read, compare, try."""

from typing import Annotated, Any, Final, Literal

from fastapi import APIRouter, Body, Path, Query
from pydantic import BaseModel

from agreed.words import language
from cloud.api.desk import Desk
from cloud.api.settling import Who
from cloud.api.troubles import RESPONSES
from cloud.database import plan_books
from cloud.fields import Name
from cloud.office import plans as acts
from cloud.office.plans import Fault
from cloud.settlement.comparing import Difference, differences, in_words
from cloud.settlement.plans import Plan
from cloud.settlement.prose import prose
from cloud.settlement.whatif import Sensitivity, Trial

_PLAN: Final = {
    "key": "spring",
    "name_zh": "春季方案",
    "name_en": "Spring plan",
    "from_period": "2026-03",
    "waterfall": {
        "retained_bp": 4_000,
        "front_line_bp": 5_000,
        "middle_bonus_bp": 500,
        "care_fund_bp": 500,
    },
    "cap_fen": 400_000,
}
PlanKey = Annotated[Name, Path(description="plan", examples=["spring"])]
Month = Annotated[str, Query(pattern=r"^[12]\d{3}-(0[1-9]|1[0-2])$", examples=["2026-03"])]
Version = Annotated[int | None, Query(ge=1, description="the newest when left out")]
Language = Annotated[Literal["zh", "en"], Query(description="of the sentences")]


class PlanCheck(BaseModel):
    """What is wrong with a plan, and what it says where nothing is."""

    faults: list[Fault]
    says: list[str]


class PlanView(BaseModel):
    """One version of a plan; rates are the company's own."""

    version: int
    published_by: str
    published_at_ms: int
    plan: Plan
    says: list[str]


class PlanChange(BaseModel):
    """What a version changes against another one."""

    differences: list[Difference]
    says: list[str]


class TrialView(BaseModel):
    """What a plan makes of a stretch of months."""

    paid_fen: dict[str, int]
    company_fen: int
    new_profit_fen: int
    wages_fen: int
    ratio_bp: int | None
    sensitivity: list[Sensitivity]
    flat_teams: list[str]


class Gain(BaseModel):
    """One person under two plans."""

    worker: str
    before_fen: int
    after_fen: int
    gain_fen: int


class TriedView(BaseModel):
    """A plan on past months beside the plan in force; nothing was posted."""

    lines: int
    before: TrialView | None
    after: TrialView
    changes: list[Gain]


def plan_routes(desk: Desk) -> APIRouter:
    """Make the routes for plans."""
    router = APIRouter(tags=["plans"], responses=RESPONSES)
    _add_reads(router, desk)

    @router.post("/plans/check", summary="Check a plan without publishing it")
    def check(
        content: Annotated[dict[str, Any], Body(examples=[_PLAN])], lang: Language = "zh"
    ) -> PlanCheck:
        language.set(lang)
        found = acts.check_plan(content)
        if isinstance(found, Plan):
            return PlanCheck(faults=[], says=prose(found))
        return PlanCheck(faults=found, says=[])

    @router.post("/plans", status_code=201, summary="Publish a plan as its next version")
    def publish(
        request: Annotated[Plan, Body(examples=[_PLAN])], who: Who, lang: Language = "zh"
    ) -> PlanView:
        language.set(lang)
        acts.publish_plan(desk.engine, desk.company, request, who.user_id, desk.now_ms())
        with desk.reading() as connection:
            return _view(acts.find_plan(connection, desk.company, request.key))

    @router.post("/plans/try", summary="What if: a plan on past months, without posting")
    def try_plan(
        request: Annotated[Plan, Body(examples=[_PLAN])], from_month: Month, until_month: Month
    ) -> TriedView:
        with desk.reading() as connection:
            tried = acts.try_on_past(connection, desk.company, request, from_month, until_month)
        return TriedView(
            lines=tried.lines,
            before=None if tried.before is None else _trial(tried.before),
            after=_trial(tried.after),
            changes=[
                Gain(
                    worker=c.worker,
                    before_fen=c.before_fen,
                    after_fen=c.after_fen,
                    gain_fen=c.gain_fen,
                )
                for c in tried.changes
            ],
        )

    return router


def _add_reads(router: APIRouter, desk: Desk) -> None:
    @router.get("/plans", summary="Plans, each in its newest version, with what it says")
    def plans(lang: Language = "zh") -> list[PlanView]:
        language.set(lang)
        with desk.reading() as connection:
            return [_view(p) for p in plan_books.newest_plans(connection, desk.company)]

    @router.get("/plans/{plan}", summary="One version of a plan, with what it says")
    def plan(plan: PlanKey, version: Version = None, lang: Language = "zh") -> PlanView:
        language.set(lang)
        with desk.reading() as connection:
            return _view(acts.find_plan(connection, desk.company, plan, version))

    @router.get("/plans/{plan}/diff", summary="What a version changes against another, in words")
    def diff(
        plan: PlanKey,
        before: Annotated[int, Query(ge=1)],
        after: Version = None,
        lang: Language = "zh",
    ) -> PlanChange:
        language.set(lang)
        with desk.reading() as connection:
            old = acts.find_plan(connection, desk.company, plan, before)
            new = acts.find_plan(connection, desk.company, plan, after)
        found = differences(old.plan, new.plan)
        return PlanChange(differences=found, says=[in_words(d) for d in found])


def _view(found: plan_books.PublishedPlan) -> PlanView:
    return PlanView(
        version=found.version,
        published_by=found.published_by,
        published_at_ms=found.published_at_ms,
        plan=found.plan,
        says=prose(found.plan),
    )


def _trial(trial: Trial) -> TrialView:
    return TrialView(
        paid_fen=dict(trial.paid_fen),
        company_fen=trial.company_fen,
        new_profit_fen=trial.new_profit_fen,
        wages_fen=trial.wages_fen,
        ratio_bp=trial.ratio_bp,
        sensitivity=list(trial.sensitivity),
        flat_teams=[found.team for found in trial.sensitivity if found.is_flat],
    )
