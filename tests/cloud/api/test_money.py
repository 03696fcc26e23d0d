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
