from cloud.database.engine import reading, writing
from cloud.database.fleet import Place
from cloud.database.plan_books import add_plan, newest_plans, plan_in_force, plan_versions
from cloud.settlement.plans import Plan
from tests.cloud.settlement.small_month import plan
from tests.cloud.world import PLACE, T0, World


def publish(world: World, *wanted: Plan) -> list[int]:
    with writing(world.engine) as connection:
        return [add_plan(connection, "acme", one, "lin", T0) for one in wanted]


def in_force(world: World, period: str, place: Place = PLACE) -> tuple[str, int] | None:
    with reading(world.engine) as connection:
        found = plan_in_force(connection, place, period)
    return None if found is None else (found.plan.key, found.version)


def test_versions_follow_each_other_and_the_same_content_is_no_new_one(world: World) -> None:
    assert publish(world, plan(), plan(), plan(cap_fen=1), plan()) == [1, 1, 2, 3]
    with reading(world.engine) as connection:
        versions = plan_versions(connection, "acme", "")
        newest = newest_plans(connection, "acme")
    assert [(v.version, v.plan.cap_fen) for v in versions] == [(3, None), (2, 1), (1, None)]
    assert [(v.version, v.published_by, v.published_at_ms) for v in newest] == [(3, "lin", T0)]


def test_a_month_has_the_newest_version_that_had_begun(small_world: World) -> None:
    publish(small_world, plan(), plan(from_period="2026-05", cap_fen=5))
    assert in_force(small_world, "2026-02") is None
    assert in_force(small_world, "2026-03") == ("spring", 1)
    assert in_force(small_world, "2026-04") == ("spring", 1)
    assert in_force(small_world, "2026-05") == ("spring", 2)
    assert in_force(small_world, "2031-01") == ("spring", 2)


def test_a_sites_own_plan_goes_before_the_companys(small_world: World) -> None:
    publish(small_world, plan(), plan(key="north-only", site="north", from_period="2026-06"))
    assert in_force(small_world, "2026-05") == ("spring", 1)
    assert in_force(small_world, "2026-06") == ("north-only", 1)
    assert in_force(small_world, "2026-06", Place("acme", "south")) == ("spring", 1)
    assert in_force(small_world, "2026-06", Place("other", "north")) is None
