"""One flow through the whole interface, and hostile input that never breaks it."""

import json
from typing import Any
from urllib.parse import quote

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.cloud.api.conftest import Office
from tests.cloud.world import CLEANING, HOUR, T0, finished, passed

V1 = "/api/v1"


def ok(response: Any, status: int = 200) -> Any:
    assert response.status_code == status, response.text
    return response.json() if response.content else None


def test_from_pack_to_statement(office: Office) -> None:
    client = office.client
    pack = CLEANING.model_dump(mode="json") | {"key": "deep-cleaning"}
    assert ok(client.post(f"{V1}/packs", json=pack), 201)["version"] == 1
    assert len(ok(client.get(f"{V1}/packs"))) == 2
    worker = {"worker": "w-7", "name": "王师傅"}
    ok(client.post(f"{V1}/sites/north/workers", json=worker), 201)
    card = {"subject": "w-7", "role": "worker", "valid_from_ms": T0, "valid_until_ms": T0 + HOUR}
    ok(client.put(f"{V1}/sites/north/credentials/c-1", json=card), 204)
    order = {
        "order_id": "o-7",
        "pack": "deep-cleaning",
        "worker": "w-7",
        "resident": "r-1",
        "booked_from_ms": T0 + HOUR,
    }
    booked = ok(client.post(f"{V1}/sites/north/orders", json=order), 201)
    assert booked["codes"][0]["action"] == "finish"
    office.world.tell(passed(T0 + HOUR, "w-7"), finished(T0 + 3 * HOUR, "o-7"))
    view = ok(client.get(f"{V1}/orders/north/o-7"))
    assert [n["verdict"] for n in view["nodes"]] == ["kept", "late"]
    assert view["nodes"][0]["evidence"]["record"]["clock_state"] == "synced"
    proof = view["nodes"][0]["decided"]
    address = f"{V1}/evidence/north/{proof['box']}/{proof['epoch']}/{proof['sequence']}"
    assert ok(client.get(address))["block_hash"] == proof["block_hash"]
    statement = ok(client.get(f"{V1}/statements/w-7"))
    assert statement["earned_fen"] == view["earned_fen"] == 500 + 2144
    assert "fen × " in statement["lines"][1]["reason"]["formula"]
    assert len(ok(client.get(f"{V1}/verdicts"))) == 2
    check = ok(client.get(f"{V1}/ledger/check"))
    assert (check["is_balanced"], check["is_chain_verified"]) == (True, True)
    assert ok(client.get(f"{V1}/overview"))["pool_fen"] == 6_353 - 2_644
    assert len(office.wakes) == 2


def test_the_interface_describes_itself(office: Office) -> None:
    described = ok(office.client.get("/api/openapi.json"))
    for path in ("/orders/{site}/{order_id}", "/packs", "/statements/{worker}", "/ledger/check"):
        assert f"{V1}{path}" in described["paths"]
    for path, acts in described["paths"].items():
        for method, act in acts.items():
            assert act["summary"], path
            body = act.get("requestBody", {}).get("content", {}).get("application/json", {})
            if method in {"post", "put"} and "$ref" in body.get("schema", {}):
                assert body.get("examples") or body["schema"].get("examples"), path


texts = st.text(max_size=12) | st.sampled_from(["north", "gate-box", "o-1", "..", "%00", "+"])
numbers = st.integers(-(2**70), 2**70)
values = st.recursive(
    st.none() | st.booleans() | numbers | st.floats() | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=6,
)
ROUTES = [
    ("POST", "/sites"),
    ("POST", "/sites/{}/workers"),
    ("PUT", "/sites/{}/credentials/{}"),
    ("DELETE", "/sites/{}/credentials/{}"),
    ("POST", "/packs"),
    ("POST", "/sites/{}/orders"),
    ("POST", "/sites/{}/orders/batch"),
    ("POST", "/orders/{}/{}/cancel"),
    ("GET", "/orders/{}/{}"),
    ("GET", "/orders"),
    ("GET", "/postings"),
    ("GET", "/evidence/{}/{}/{}/{}"),
    ("GET", "/statements/{}"),
    ("POST", "/sites/{}/pool"),
    ("PUT", "/boxes/{}/{}"),
    ("POST", "/boxes/{}/{}/accept"),
]
GOOD: dict[str, dict[str, Any]] = {
    "/sites": {"site": "north", "name": "North"},
    "/packs": CLEANING.model_dump(mode="json"),
    "/sites/{}/orders": {"pack": "cleaning", "booked_from_ms": T0},
    "/sites/{}/pool": {"key": "k", "amount_fen": 5},
    "/sites/{}/workers": {"worker": "w", "name": "n"},
}


@settings(
    max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None
)
@given(data=st.data(), route=st.sampled_from(ROUTES))
def test_no_request_breaks_it(office: Office, data: st.DataObject, route: tuple[str, str]) -> None:
    method, path = route
    parts = [data.draw(texts) for _ in range(path.count("{}"))]
    body: Any = data.draw(values)
    if path in GOOD and data.draw(st.booleans()):
        body = dict(GOOD[path])
        body[data.draw(st.sampled_from(sorted(body)))] = data.draw(values)
    query = {
        name: str(data.draw(numbers | texts))
        for name in data.draw(st.sets(st.sampled_from(["site", "from_ms", "limit", "before"])))
    }
    wire = json.dumps(body).encode(errors="replace")
    response = office.client.request(
        method, V1 + path.format(*(_quoted(p) for p in parts)), params=query, content=wire
    )
    assert response.status_code < 500, response.text
    if response.status_code == 422:
        assert all(e["field"] and e["remedy"] for e in response.json()["errors"])


def _quoted(text: str) -> str:
    return quote(text, safe="")
