"""The finance clerk's shell for the books."""

import json
from pathlib import Path

import pytest

from agreed.limits import WALL_MS_MAX
from agreed.words import RemedyError
from cloud.clerk_ledger import local_ms
from tests.cloud.shells import MONTH, asked, said
from tests.cloud.world import HOUR


def test_a_past_balance(worked_month: Path) -> None:
    assert "commission:w-1" in said(worked_month, "ledger", "balance", "--site", "north")
    then = json.loads(said(worked_month, "ledger", "balance", "--at", "2020-01-01", "--json"))
    assert then == []
    with pytest.raises(RemedyError, match="no time"):
        asked(worked_month, "ledger", "balance", "--at", "yesterday")


def test_local_times_are_read_in_the_company_s_zone() -> None:
    assert local_ms(None, 480) == WALL_MS_MAX
    assert local_ms("1970-01-01", 480) == 16 * HOUR - 1
    assert local_ms("1970-01-01T08:00", 480) == 0
    assert local_ms("1970-01-01T00:00:00+00:00", 480) == 0


def test_funds_and_refunds_from_the_shell(worked_month: Path) -> None:
    fund = ("ledger", "fund", "bonus", "700", "--key", "spring")
    for _ in range(2):
        assert said(worked_month, *fund) == "bonus holds 7.00 yuan\n"
    assert said(worked_month, "ledger", "fund", "pool", "5", "--key", "p").startswith("pool holds")
    with pytest.raises(RemedyError, match="has no wager spring"):
        asked(
            worked_month, "ledger", "fund", "senior_stake", "5", "--key", "s", "--wager", "spring"
        )
    assert asked(worked_month, "ledger", "fund", "pocket", "5", "--key", "x").exit_code == 2
    refund = ("ledger", "refund", "o-1", "--fen", "900", "--key", "k", "--cause", "leaked")
    for _ in range(2):
        assert (
            said(worked_month, *refund)
            == f"o-1: 9.00 of 199.00 yuan went back, counted in {MONTH}.\n"
        )
    with pytest.raises(RemedyError, match="no order o-9"):
        asked(worked_month, "ledger", "refund", "o-9", "--key", "n", "--cause", "leaked")


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("ledger", "fund", "bonus", "5", "--key", "a\tb"), "key: .*control characters"),
        (
            ("ledger", "refund", "o-1", "--key", "k", "--cause", "x" * 81),
            "cause is too long; give at most 80 characters",
        ),
    ],
)
def test_what_does_not_fit_is_one_sentence(
    worked_month: Path, arguments: tuple[str, ...], sentence: str
) -> None:
    with pytest.raises(RemedyError, match=sentence):
        asked(worked_month, *arguments)
