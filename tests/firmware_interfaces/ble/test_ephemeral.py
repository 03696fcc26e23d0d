from typing import Any

import pytest

from agreed.machine import NS_PER_S
from firmware_interfaces.ble.ephemeral import PERIODS_AROUND, Badge, eid, owner
from tests.firmware_interfaces.vectors import vectors

KEY = bytes.fromhex("0102030405060708090a111213141516")
PERIOD_S = 1 << 10


@pytest.mark.parametrize("case", vectors("beacons")["ephemeral"], ids=lambda case: case["eid"])
def test_a_name_is_that_of_an_independent_implementation(case: dict[str, Any]) -> None:
    made = eid(bytes.fromhex(case["key"]), case["exponent"], case["counter_s"])
    assert made.hex() == case["eid"]


def test_a_name_lasts_a_period_and_the_key_of_an_age_changes() -> None:
    assert eid(KEY, 10, 0) == eid(KEY, 10, PERIOD_S - 1) != eid(KEY, 10, PERIOD_S)
    assert eid(KEY, 10, 65_535) != eid(KEY, 10, 65_536)
    assert eid(KEY, 10, 0) != eid(KEY, 11, 0)


def test_a_name_is_known_while_clocks_differ_by_some_periods() -> None:
    began_s = 1_000_000
    badges = [Badge("other", bytes(16), 10, 0), Badge("w-1", KEY, 10, began_s)]
    name = eid(KEY, 10, 50 * PERIOD_S)
    for period in range(40, 61):
        wall_ns = (began_s + period * PERIOD_S) * NS_PER_S
        is_known = abs(period - 50) <= PERIODS_AROUND
        assert owner(badges, name, wall_ns) == ("w-1" if is_known else None)


def test_before_its_counter_began_a_badge_has_no_name() -> None:
    badge = Badge("w-1", KEY, 10, 10**9)
    assert not badge.is_called(eid(KEY, 10, 0), 0)
    assert repr(KEY) not in repr(badge)
