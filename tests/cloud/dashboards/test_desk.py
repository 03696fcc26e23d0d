import httpx
import pytest

from cloud.dashboards.desk import BadAddressError, Period, days
from tests.cloud.dashboards.example import DAY_MS, HOUR_MS


def test_days_are_inclusive_and_local() -> None:
    assert days("2026-05-20", "2026-05-21") == (DAY_MS, DAY_MS + 48 * HOUR_MS)


@pytest.mark.parametrize(
    ("first", "last"),
    [("2026-05-21", "2026-05-20"), ("x", "2026-05-20"), ("0001-01-01", "9999-12-31")],
)
def test_a_period_that_cannot_be_is_refused(first: str, last: str) -> None:
    with pytest.raises(BadAddressError, match=first):
        days(first, last)


def test_a_period_writes_itself_into_an_address() -> None:
    assert Period("2026-05-20", "2026-05-21", 0, 1).query == "from=2026-05-20&until=2026-05-21"


@pytest.mark.parametrize(
    ("query", "shown"),
    [
        ("", "2026-05-20 · by what"),
        ("?day=2026-05-19", "2026-05-19 · by what"),
        ("?from=2026-05-18&until=2026-05-19", "2026-05-18 – 2026-05-19"),
        ("?until=2026-05-19", "2026-05-19 · by what"),
    ],
)
def test_the_address_says_the_period(client: httpx.Client, query: str, shown: str) -> None:
    assert shown in client.get(f"/workers{query}").text
