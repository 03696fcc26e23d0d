"""Routes for settlement runs, the people who act on them, and balances at a past moment."""

from typing import Annotated, Final

from fastapi import APIRouter, Body, Depends, Path, Query, Request
from pydantic import BaseModel, ConfigDict

from agreed.limits import WALL_MS_MAX
from cloud import reads
from cloud.api.desk import Desk, SiteName, SiteWanted
from cloud.api.troubles import RESPONSES
from cloud.database.views import AccountView
from cloud.fields import Name, Note
from cloud.office import people as people_acts
from cloud.office.people import OPERATOR, Duty, Person, UserRequest
from cloud.office.settling import Run, RunRow, Settling, list_runs
from cloud.office.wages import PayRules, WageRequest, post_wage, put_pay_rules, read_pay_rules

_WAGE: Final = {"worker": "w-07", "period": "2026-03", "amount_fen": 280_000}
_USER: Final = {"user_id": "wang", "name": "王会计", "roles": ["approver"]}
TOKEN_BYTES: Final = 32

PeriodName = Annotated[str, Path(description="month", examples=["2026-03"])]
AtMs = Annotated[int, Query(ge=0, le=WALL_MS_MAX, description="ms since 1970, inclusive")]


class Remark(BaseModel):
    """What a person wants to say with an act."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    note: Note = ""


Said = Annotated[Remark, Body(examples=[{"note": "checked against the time sheets"}])]


class UserView(BaseModel):
    """A person who has a token."""

    user_id: str
    name: str
    roles: list[Duty]


class UserToken(UserView):
    """A person with the token; it is shown this once."""

    token: str


def acting(request: Request) -> Person:
    """Find who asks; the gate has let nobody else write."""
    person: Person = getattr(request.state, "person", OPERATOR)
    return person


Who = Annotated[Person, Depends(acting)]


def settling_routes(desk: Desk) -> APIRouter:
    """Make the routes for runs, people and past balances."""
    router = APIRouter(tags=["settlement"], responses=RESPONSES)
    _add_reads(router, desk)
    _add_steps(router, desk)
    _add_people(router, desk)
    _add_wages(router, desk)
    return router


def _add_reads(router: APIRouter, desk: Desk) -> None:
    @router.get("/runs", summary="Settlement runs, the newest month first")
    def runs(site: SiteWanted = None) -> list[RunRow]:
        with desk.reading() as connection:
            return list_runs(connection, desk.company, site)

    @router.get("/runs/{site}/{period}", summary="The newest run of a month, line by line")
    def run(site: SiteName, period: PeriodName) -> Run:
        with desk.reading() as connection:
            return Settling(desk.engine, desk.place(site)).show(connection, period)

    @router.get(
        "/balances/{site}",
        summary="Accounts as they stood at a moment, by what was known at another",
    )
    def balances(
        site: SiteName, at_ms: AtMs = WALL_MS_MAX, known_at_ms: AtMs = WALL_MS_MAX
    ) -> list[AccountView]:
        with desk.reading() as connection:
            return reads.balances_at(connection, desk.company, site, at_ms, known_at_ms)


def _add_steps(router: APIRouter, desk: Desk) -> None:
    def settling(site: str) -> Settling:
        return Settling(desk.engine, desk.place(site))

    @router.post(
        "/runs/{site}/{period}/preview",
        summary="Draw up a month; the same books give the same run",
    )
    def preview(site: SiteName, period: PeriodName, who: Who) -> Run:
        return settling(site).preview(period, who, desk.now_ms())

    @router.post("/runs/{site}/{period}/review", summary="Say that a clerk has looked at it")
    def review(site: SiteName, period: PeriodName, who: Who, said: Said | None = None) -> Run:
        note = said.note if said else ""
        return settling(site).review(period, who, desk.now_ms(), note)

    @router.post("/runs/{site}/{period}/approve", summary="Approve what somebody else prepared")
    def approve(site: SiteName, period: PeriodName, who: Who, said: Said | None = None) -> Run:
        note = said.note if said else ""
        return settling(site).approve(period, who, desk.now_ms(), note)

    @router.post("/runs/{site}/{period}/post", summary="Post it and close the month")
    def post(site: SiteName, period: PeriodName, who: Who) -> Run:
        return settling(site).post(period, who, desk.now_ms())

    @router.post("/runs/{site}/{period}/pay", summary="Pay out what was posted")
    def pay(site: SiteName, period: PeriodName, who: Who) -> Run:
        return settling(site).pay(period, who, desk.now_ms())

    @router.post("/runs/{site}/{period}/discard", summary="Give up a run that is not posted")
    def discard(site: SiteName, period: PeriodName, who: Who, said: Said) -> Run:
        return settling(site).discard(period, who, desk.now_ms(), said.note)


def _add_people(router: APIRouter, desk: Desk) -> None:
    @router.get("/users", summary="People who have a token")
    def users() -> list[UserView]:
        with desk.reading() as connection:
            found = people_acts.list_users(connection, desk.company)
        return [UserView(user_id=p.user_id, name=p.name, roles=sorted(p.duties)) for p in found]

    @router.post(
        "/users", status_code=201, summary="Give a person a token; again, another one instead"
    )
    def put_user(request: Annotated[UserRequest, Body(examples=[_USER])]) -> UserToken:
        token = desk.random_bytes(TOKEN_BYTES).hex()
        people_acts.put_user(desk.engine, desk.company, request, token, desk.now_ms())
        roles = sorted(set(request.roles))
        return UserToken(user_id=request.user_id, name=request.name, roles=roles, token=token)

    @router.delete("/users/{user_id}", status_code=204, summary="End a person's token")
    def end_user(user_id: Annotated[Name, Path(examples=["wang"])]) -> None:
        people_acts.end_user(desk.engine, desk.company, user_id, desk.now_ms())


def _add_wages(router: APIRouter, desk: Desk) -> None:
    @router.get("/pay-rules", summary="What every deduction must respect")
    def pay_rules() -> PayRules:
        with desk.reading() as connection:
            return read_pay_rules(connection, desk.company)

    @router.put("/pay-rules", summary="Say what every deduction must respect")
    def change_pay_rules(
        request: Annotated[PayRules, Body(examples=[{"minimum_wage_fen": 269_000}])],
    ) -> PayRules:
        put_pay_rules(desk.engine, desk.company, request)
        return request

    @router.post(
        "/sites/{site}/wages",
        status_code=201,
        summary="Book a base wage; it only counts for the minimum, and nothing here touches it",
    )
    def wages(
        site: SiteName, request: Annotated[WageRequest, Body(examples=[_WAGE])]
    ) -> WageRequest:
        post_wage(desk.engine, desk.place(site), request, desk.now_ms())
        return request
