"""A month is settled over REST, by people with tokens of their own."""

from typing import Any

import pytest

from cloud.settlement.periods import after, period_of
from tests.cloud.api.conftest import Office
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
