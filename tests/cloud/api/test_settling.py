"""A month is settled over REST, by people with tokens of their own."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from cloud.__main__ import app
from cloud.api.app import make_app
from cloud.folder import Folder, Kept
from cloud.settlement.periods import after, period_of
from tests.cloud.api.conftest import Client, Office
from tests.cloud.settlement.small_month import PLAN
from tests.cloud.world import HOUR, LATER, T0, alive, finished, passed

V1 = "/api/v1"
MONTH = period_of(T0, 480)
RUN = f"{V1}/runs/north/{MONTH}"


@pytest.fixture
def worked(office: Office) -> Office:
    office.world.order("o-1")
    office.world.fund(9_000)
    office.world.tell(passed(T0 + HOUR), finished(T0 + 2 * HOUR, "o-1"), alive(T0 + 9 * HOUR))
    return office


def person(office: Office, user_id: str, *roles: str) -> dict[str, str]:
    asked = {"user_id": user_id, "name": user_id, "roles": list(roles)}
    # The stand-in gives the same bytes each time: one person at a time holds that token.
    made = office.client.post(f"{V1}/users", json=asked)
    assert made.status_code == 201, made.text
    return {"Authorization": f"Bearer {made.json()['token']}"}


def step(office: Office, name: str, headers: dict[str, str] | None = None) -> Any:
    return office.client.post(f"{RUN}/{name}", headers=headers)


def test_two_people_settle_a_month(worked: Office) -> None:
    assert step(worked, "preview").json()["status"] == "previewed"
    assert step(worked, "review").json()["status"] == "reviewed"
    own = step(worked, "approve")
    assert own.status_code == 409
    assert own.json()["errors"][0]["field"] == "approved_by"
    wang = person(worked, "wang", "approver")
    assert step(worked, "post", wang).status_code == 403
    assert step(worked, "approve", wang).json()["approved_by"] == "wang"
    assert step(worked, "post").json()["status"] == "posted"
    assert step(worked, "pay").json()["status"] == "paid"
    [row] = worked.client.get(f"{V1}/runs").json()
    assert (row["status"], row["payable_fen"]) == ("paid", 3_001 + 6_000)
    shown = worked.client.get(RUN).json()
    assert [act["who"] for act in shown["acts"]] == ["operator"] * 2 + ["wang"] + ["operator"] * 2
    assert worked.client.get(f"{V1}/runs/north/2020-01").status_code == 404
    assert worked.client.get(f"{V1}/runs", params={"site": "south"}).json() == []


def test_a_person_settles_and_changes_nothing_else(worked: Office) -> None:
    lin = person(worked, "lin", "clerk")
    assert step(worked, "preview", lin).json()["prepared_by"] == "lin"
    refused = worked.client.post(f"{V1}/sites", json={"site": "s", "name": "S"}, headers=lin)
    assert refused.status_code == 403
    assert worked.client.post(f"{V1}/users", json={}, headers=lin).status_code == 403
    discarded = worked.client.post(f"{RUN}/discard", json={"note": "typo"}, headers=lin)
    assert discarded.json()["status"] == "discarded"
    assert worked.client.get(f"{V1}/users").json() == [
        {"user_id": "lin", "name": "lin", "roles": ["clerk"]}
    ]
    assert worked.client.delete(f"{V1}/users/lin").status_code == 204
    assert step(worked, "preview", lin).status_code == 401


def test_balances_of_a_past_moment(worked: Office) -> None:
    def pool(**when: int) -> dict[str, int]:
        found = worked.client.get(f"{V1}/balances/north", params=when).json()
        return {a["account"]: a["balance_fen"] for a in found}

    assert pool()["commission:w-1"] == 3_001
    assert pool(at_ms=T0 + HOUR + 1)["commission:w-1"] == 500
    assert "commission:w-1" not in pool(at_ms=T0 + 9 * HOUR, known_at_ms=LATER - 1)
    assert pool(at_ms=T0 - 1) == {}


def test_wages_and_the_minimum_are_booked(worked: Office) -> None:
    rules = {"minimum_wage_fen": 269_000}
    assert worked.client.put(f"{V1}/pay-rules", json=rules).json() == rules
    assert worked.client.get(f"{V1}/pay-rules").json() == rules
    wage = {"worker": "w-1", "period": MONTH, "amount_fen": 280_000}
    for _ in range(2):
        assert worked.client.post(f"{V1}/sites/north/wages", json=wage).status_code == 201
    assert worked.world.balance("wage:w-1") == 280_000
    wrong = wage | {"period": "soon"}
    assert worked.client.post(f"{V1}/sites/north/wages", json=wrong).status_code == 422
    assert after(MONTH) > MONTH


SPLIT = {"pack": "cleaning", "node": "finish", "shares": [
    {"role": "lead", "share_bp": 6_000}, {"role": "mate", "share_bp": 4_000}]}  # fmt: skip
TWO_ROLES = PLAN | {
    "from_period": MONTH,
    "splits": [SPLIT],
    "cap_fen": 3_500,
    "override": {"share_bp": 500},
    "middle_bonus": {"base_fen": 1_000, "target_bp": 9_000, "cap_bp": 11_000},
    "draws": [
        {"role": "cleaner", "guaranteed_fen": 1_000, "is_recoverable": True},
        {"role": "mate", "guaranteed_fen": 6_000, "is_recoverable": True},
    ],
    "staff": [{"worker": w, "role": "cleaner", "team": "east"} for w in ("w-1", "w-2")],
    "teams": [{"team": "east", "leader": "w-1", "manager": "w-1"}],
}
ENDS = {"opening", "fulfilment", "deduction", "payable"}


@pytest.fixture
def spring(office: Office) -> Iterator[Office]:
    """The same headquarters, two months later."""
    desk = replace(office.desk, now_ms=lambda: LATER + 60 * 24 * HOUR)
    client = Client(make_app(desk), {"Authorization": f"Bearer {office.desk.token}"})
    yield Office(office.world, client, desk)
    client.close()


def settled(office: Office, month: str) -> Any:
    wang = person(office, "wang", "approver")
    done = None
    for name in ("preview", "review", "approve", "post", "pay"):
        headers = wang if name == "approve" else None
        done = office.client.post(f"{V1}/runs/north/{month}/{name}", headers=headers)
        assert done.status_code == 200, done.text
    assert done is not None
    return done.json()


def of_person(office: Office, month: str) -> dict[str, int]:
    address = f"{V1}/month-statements/north/{month}/commission:w-1"
    rules = office.client.get(address).json()["rules"]
    found = {line["rule"]: line["amount_fen"] for line in rules}
    assert len(found) == len(rules)
    return found


def test_a_worker_in_two_roles_is_one_person(spring: Office, tmp_path: Path) -> None:
    """Front line, mate in a crew, leader and manager: caps and deductions count the person once."""
    world = spring.world
    assert spring.client.post(f"{V1}/plans", json=TWO_ROLES).status_code == 201
    crew = [{"worker": "w-1", "role": "mate"}]
    shared = {"key": "finish", "role": "lead", "crew": crew}
    for order_id, worker, nodes in (
        ("o-1", "w-1", [{"key": "arrive"}, {"key": "finish"}]),
        ("o-2", "w-2", [{"key": "arrive"}, shared]),
    ):
        order = {"order_id": order_id, "pack": "cleaning", "worker": worker, "nodes": nodes}
        made = spring.client.post(
            f"{V1}/sites/north/orders", json=order | {"booked_from_ms": T0 + HOUR}
        )
        assert made.status_code == 201, made.text
    world.tell(
        passed(T0 + HOUR),
        passed(T0 + HOUR, worker="w-2"),
        *(finished(T0 + 2 * HOUR, order) for order in ("o-1", "o-2")),
        alive(T0 + 9 * HOUR),
    )
    settled(spring, MONTH)
    found = of_person(spring, MONTH)
    # As front line 5.00 + 25.01, as mate 40 % of 25.01; the cap holds for both together.
    assert found["fulfilment"] + found["piece"] == 500 + 2_501 + 1_000
    assert found["cap"] == 3_500 - 4_001
    assert (found["override:east"], found["bonus:east"]) == (100, 1_100)
    assert found["draw:mate"] == 6_000 - 4_700  # the higher guarantee of the two, once
    assert found["payable"] == 6_000
    assert not [rule for rule in found if rule == "draw:cleaner"]
    address = f"{V1}/month-statements/north/{MONTH}/commission:w-1"
    pieces = spring.client.get(address).json()["pieces"]
    assert [(p["order_id"], p["node"], p["role"], p["amount_fen"]) for p in pieces] == [
        ("o-1", "arrive", "cleaner", 500),
        ("o-1", "finish", "cleaner", 2_501),
        ("o-2", "finish", "mate", 1_000),
    ]
    following = after(MONTH)
    later = T0 + 25 * 24 * HOUR
    world.order("o-3", later)
    world.tell(passed(later), finished(later + HOUR, "o-3"), alive(later + 9 * HOUR))
    world.fund(9_000)
    funds = {"key": "b", "into": "bonus", "amount_fen": 2_000}
    assert spring.client.post(f"{V1}/sites/north/funds", json=funds).status_code == 201
    settled(spring, following)
    found = of_person(spring, following)
    earned_fen = sum(fen for rule, fen in found.items() if rule not in ENDS - {"fulfilment"})
    assert earned_fen == 3_001 + 1_100
    assert found["deduction"] == -(earned_fen * 2_000 // 10_000)  # of both roles' pay, once
    folder = Folder(tmp_path)
    folder.prepare().close()
    url = world.engine.url.render_as_string(hide_password=False)
    folder.keep(Kept(database=url, company="acme", mqtt_url="mqtt://127.0.0.1:1883"))
    asked = ["statement", "month", "commission:w-1", following, "--json", "--data", str(tmp_path)]
    shown = json.loads(CliRunner().invoke(app, asked, catch_exceptions=False).stdout)
    assert shown["payable_fen"] == shown["paid_fen"] == earned_fen + found["deduction"]
    assert shown["owed_fen"] == 1_300 + found["deduction"]
