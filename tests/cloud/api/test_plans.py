from tests.cloud.api.conftest import Office
from tests.cloud.settlement.small_month import PLAN

V1 = "/api/v1"


def test_a_plan_is_checked_published_read_and_compared(office: Office) -> None:
    client = office.client
    bad = client.post(f"{V1}/plans/check", json=PLAN | {"cap_fen": -1}).json()
    assert bad == {"faults": [{"field": "cap_fen", "message": "cap_fen 不能小于 0。"}], "says": []}
    good = client.post(f"{V1}/plans/check", json=PLAN, params={"lang": "en"}).json()
    assert good["faults"] == []
    assert good["says"][0].startswith("“春季方案” (Spring plan) holds from 2026-03 on")

    first = client.post(f"{V1}/plans", json=PLAN)
    assert (first.status_code, first.json()["version"]) == (201, 1)
    assert client.post(f"{V1}/plans", json=PLAN | {"cap_fen": 5_000}).json()["version"] == 2
    [newest] = client.get(f"{V1}/plans").json()
    assert (newest["version"], newest["published_by"]) == (2, "operator")
    assert "封顶 50.00 元" in "".join(newest["says"])
    old = client.get(f"{V1}/plans/spring", params={"version": 1}).json()
    assert old["plan"]["cap_fen"] is None
    diff = client.get(f"{V1}/plans/spring/diff", params={"before": 1, "lang": "en"}).json()
    assert diff["differences"] == [{"field": "cap_fen", "before": None, "after": 5_000}]
    assert diff["says"] == ["cap_fen: new, 50.00 yuan."]


def test_the_books_say_who_published_a_plan(office: Office) -> None:
    asked = {"user_id": "zhao", "name": "Zhao", "roles": ["operator"]}
    token = office.client.post(f"{V1}/users", json=asked).json()["token"]
    shown = {"Authorization": f"Bearer {token}"}
    published = office.client.post(f"{V1}/plans", json=PLAN, headers=shown)
    assert (published.status_code, published.json()["published_by"]) == (201, "zhao")
    assert office.client.get(f"{V1}/plans/spring").json()["published_by"] == "zhao"


def test_a_plan_that_is_refused_names_the_field(office: Office) -> None:
    answer = office.client.post(f"{V1}/plans", json=PLAN | {"site": "nowhere"})
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (404, "site")
    answer = office.client.post(f"{V1}/plans", json=PLAN | {"floor_fen": 2, "cap_fen": 1})
    assert answer.status_code == 422
    assert office.client.get(f"{V1}/plans/none").status_code == 404


def test_a_plan_is_tried_before_it_is_published(office: Office) -> None:
    months = {"from_month": "2027-01", "until_month": "2027-01"}
    tried = office.client.post(f"{V1}/plans/try", json=PLAN, params=months).json()
    assert (tried["lines"], tried["before"], tried["changes"]) == (0, None, [])
    assert tried["after"]["new_profit_fen"] == 0
    assert office.client.get(f"{V1}/plans").json() == []
