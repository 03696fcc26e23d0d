from tests.cloud.api.conftest import Office

V1 = "/api/v1"


def test_the_pool_is_funded_and_the_books_show_it(office: Office) -> None:
    funding = {"key": "march", "amount_fen": 500, "note": "新利润"}
    for _ in range(2):
        funded = office.client.post(f"{V1}/sites/north/pool", json=funding)
        assert funded.json() == {"site": "north", "pool_fen": 500}
    accounts = office.client.get(f"{V1}/accounts", params={"site": "north"}).json()
    assert {a["account"]: a["balance_fen"] for a in accounts} == {"company": -500, "pool": 500}
    [posting] = office.client.get(f"{V1}/postings", params={"account": "pool"}).json()
    assert (posting["kind"], posting["reason"]) == ("funding", {"note": "新利润"})
    assert office.client.get(f"{V1}/postings", params={"before": 1}).json() == []
    assert office.client.get(f"{V1}/postings", params={"order_id": "o-1"}).json() == []


def test_an_empty_statement_says_why(office: Office) -> None:
    statement = office.client.get(f"{V1}/statements/nobody").json()
    assert statement["emptiness"]["code"] == "unknown_worker"


def test_a_fund_is_filled_once_per_key_and_a_stake_asks_for_its_wager(office: Office) -> None:
    funds = {"key": "spring", "into": "bonus", "amount_fen": 700, "note": "March"}
    for _ in range(2):
        funded = office.client.post(f"{V1}/sites/north/funds", json=funds)
        assert (funded.status_code, funded.json()) == (201, {"account": "bonus", "held_fen": 700})
    stake = funds | {"key": "stake", "into": "senior_stake", "wager": "spring"}
    refused = office.client.post(f"{V1}/sites/north/funds", json=stake)
    assert refused.status_code == 404
    assert refused.json()["errors"][0]["field"] == "wager"
    assert office.client.post(f"{V1}/sites/south/funds", json=funds).status_code == 404
    unknown = office.client.post(f"{V1}/sites/north/funds", json=funds | {"into": "pocket"})
    assert unknown.status_code == 422
