from typing import Any

import pytest

from agreed.words import language
from cloud.database.books import close_month
from cloud.database.engine import reading, writing
from cloud.office.plans import (
    MONTHS_MAX,
    Fault,
    Tried,
    check_plan,
    find_plan,
    joined,
    publish_plan,
    try_on_past,
)
from cloud.office.refusals import ConflictError, InvalidError, OfficeError, UnknownError
from cloud.settlement.plans import Plan
from tests.cloud.settlement.small_month import PLAN, WATERFALL, plan
from tests.cloud.world import HOUR, MINUTE, PLACE, T0, World, alive, finished, passed

RATE = {"pack": "cleaning", "node": "finish", "rate_fen": 3_000}


def publish(world: World, **changes: Any) -> int:
    return publish_plan(world.engine, "acme", plan(**changes), "lin", T0)


def faults(**changes: Any) -> list[Fault]:
    language.set("en")
    found = check_plan(PLAN | changes)
    assert isinstance(found, list)
    return found


def test_everything_that_is_wrong_is_named_with_a_remedy() -> None:
    bad = {
        "from_period": "2026-03",
        "colour": "red",
        "rates": [RATE | {"rate_fen": 1.5}],
        "draws": [{"role": "cleaner", "guaranteed_fen": 0, "is_recoverable": True}],
        "tiers": {"bands": [{"from_fen": 0, "to_fen": 5, "rate_bp": 1}]},
        "recovery": {"cap_bp": 5_000},
        "pools": [{"key": "Star"}],
        "quality": {"points": []},
    }
    named = {fault.field: fault.message for fault in faults(**bad)}
    assert named["colour"] == "There is no field colour; correct its spelling or leave it out."
    assert named["rates.0.rate_fen"] == "rates.0.rate_fen must be a whole number."
    assert named["draws.0.guaranteed_fen"] == "draws.0.guaranteed_fen must be more than 0."
    assert named["tiers.bands.0.to_fen"] == (
        "tiers.bands.0.to_fen: leave it out; the last band has no end."
    )
    assert named["recovery.cap_bp"] == (
        "recovery.cap_bp: the law allows 2000 bp of the month's wage."
    )
    assert named["pools.0.key"] == (
        "pools.0.key may only hold a-z, 0-9 and, within, hyphens; at most 32 characters."
    )
    assert named["pools.0.share_bp"] == "pools.0.share_bp is missing; add it."
    assert named["quality.points"] == "quality.points has too few entries; give at least 2."
    [wrong] = faults(waterfall=WATERFALL | {"retained_bp": 1})
    assert wrong == Fault(
        "waterfall.retained_bp",
        "waterfall.retained_bp: the five shares sum to 7001 bp; make them 10000.",
    )
    [high] = faults(waterfall=WATERFALL | {"tax_bp": 10_001})
    assert high.message == "waterfall.tax_bp must be at most 10000."


def test_a_good_plan_comes_back_as_it_is() -> None:
    assert check_plan(PLAN) == plan()
    assert isinstance(check_plan(PLAN), Plan)


def test_versions_are_published_and_found(small_world: World) -> None:
    assert [publish(small_world), publish(small_world, cap_fen=1)] == [1, 2]
    with reading(small_world.engine) as connection:
        assert find_plan(connection, "acme", "spring").version == 2
        assert find_plan(connection, "acme", "spring", 1).plan == plan()
        for wanted in (("autumn", None), ("spring", 3)):
            with pytest.raises(UnknownError):
                find_plan(connection, "acme", *wanted)


@pytest.mark.parametrize(
    ("change", "error", "field"),
    [
        ({"site": "south"}, UnknownError, "site"),
        ({"rates": [RATE | {"node": "nap"}]}, UnknownError, "rates.0"),
        ({"waterfall": WATERFALL | {"income_from": ["billboards"]}}, UnknownError, "waterfall"),
        ({"key": "other"}, ConflictError, "key"),
        ({"site": "north"}, ConflictError, "key"),
    ],
)
def test_a_plan_that_fits_nothing_here_is_refused(
    small_world: World, change: dict[str, Any], error: type[OfficeError], field: str
) -> None:
    publish(small_world)
    with pytest.raises(error) as refused:
        publish(small_world, **change)
    assert refused.value.field.startswith(field)


def test_closed_months_keep_the_plan_they_had(small_world: World) -> None:
    with writing(small_world.engine) as connection:
        close_month(connection, PLACE, "2026-03")
    with pytest.raises(ConflictError, match="2026-04") as refused:
        publish(small_world)
    assert refused.value.field == "from_period"
    assert publish(small_world, from_period="2026-04") == 1


def tried(world: World, wanted: Plan, months: tuple[str, str] = ("2027-01", "2027-01")) -> Tried:
    with reading(world.engine) as connection:
        return try_on_past(connection, "acme", wanted, *months)


def test_a_plan_is_tried_on_what_happened_without_posting(small_world: World) -> None:
    small_world.fund(100_000)
    small_world.order("o-1")
    small_world.tell(
        passed(T0 + HOUR), finished(T0 + HOUR + 90 * MINUTE, "o-1"), alive(T0 + 6 * HOUR)
    )
    books = small_world.check()
    assert tried(small_world, plan()).before is None  # nothing is in force to compare with
    publish(small_world)
    found = tried(small_world, plan(rates=[RATE]), ("2026-12", "2027-02"))
    assert found.lines == 2
    assert [(c.worker, c.before_fen, c.after_fen) for c in found.changes] == [("w-1", 3_001, 3_500)]
    assert small_world.check() == books


def test_sites_with_a_plan_of_their_own_are_left_out(small_world: World) -> None:
    publish(small_world, site="north", key="north-only")
    assert tried(small_world, plan()).after.results == ()


def test_months_are_named_in_order_and_not_too_many(small_world: World) -> None:
    for months in (("2027-02", "2027-01"), ("2020-01", "2027-01")):
        with pytest.raises(InvalidError, match=str(MONTHS_MAX)):
            tried(small_world, plan(), months)


def test_trials_of_several_plans_add_up(small_world: World) -> None:
    publish(small_world)
    publish(small_world, from_period="2027-01", cap_fen=1)
    found = tried(small_world, plan(), ("2026-12", "2027-01"))
    assert found.before is not None
    assert len(found.before.results) == 2
    assert joined([found.after, found.after]).new_profit_fen == 2 * found.after.new_profit_fen
