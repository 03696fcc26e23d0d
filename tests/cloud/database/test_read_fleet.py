import pytest

from cloud.database.engine import reading
from cloud.database.read_fleet import (
    at_risk,
    box,
    boxes,
    company,
    day_of,
    incidents,
    node_names,
    overview,
    sites,
    to_counts,
)
from cloud.database.views import Counts, Overview
from tests.cloud.world import BOX, HOUR, MINUTE, T0, World, alive, passed


def seen(world: World, now_ms: int) -> Overview:
    with reading(world.engine) as connection:
        return overview(connection, "acme", now_ms)


def test_a_day_is_the_company_s_own() -> None:
    midnight_in_shanghai = 20_833 * 24 * HOUR - 8 * HOUR
    assert day_of(midnight_in_shanghai, 480) == (
        midnight_in_shanghai,
        midnight_in_shanghai + 24 * HOUR,
    )
    assert day_of(midnight_in_shanghai - 1, 480)[1] == midnight_in_shanghai


def test_today_in_figures(world: World) -> None:
    world.order("o-1", T0 + HOUR)
    world.order("o-2", T0 + 72 * HOUR)
    world.tell(passed(T0 + HOUR), alive(T0 + 150 * MINUTE))
    now = seen(world, T0 + 160 * MINUTE)
    assert now.promises == Counts(open=1, kept=1)
    assert (now.earned_fen, now.held_fen, now.pool_fen) == (500, 0, 2 * 6_353 - 500)
    assert now.records_committed == 2
    [site] = now.sites
    assert (site.boxes, site.boxes_online, site.covered_until_ms) == (1, 0, T0 + 150 * MINUTE - 50)
    assert seen(world, T0 + 72 * HOUR).promises == Counts(open=2)
    assert seen(world, T0 + 72 * HOUR).earned_fen == 0


def test_what_needs_help_now(world: World) -> None:
    world.order("o-1", T0 + HOUR)
    due = T0 + 70 * MINUTE
    assert seen(world, due - 16 * MINUTE).risks == []
    [risk] = seen(world, due - 15 * MINUTE).risks
    assert (risk.order_id, risk.node, risk.name_zh) == ("o-1", "arrive", "上门")
    assert (risk.is_overdue, risk.is_covered) == (False, False)
    world.tell(alive(due + MINUTE))
    [risk] = seen(world, due + MINUTE).risks
    assert (risk.is_overdue, risk.is_covered) == (True, True)
    with reading(world.engine) as connection:
        assert at_risk(connection, "acme", due, site="south") == []
    # From the hard limit on help comes too late.
    assert all(r.node != "arrive" for r in seen(world, T0 + 2 * HOUR).risks)


def test_boxes_with_an_incident_come_first(world: World) -> None:
    world.send(b"damage")
    with reading(world.engine) as connection:
        [only] = boxes(connection, "acme")
        assert only.incident == "malformed"
        assert (only.epoch, only.committed_through, only.waiting_records) == (None, 0, None)
        assert boxes(connection, "acme", site="south") == []
        assert box(connection, *BOX) == only
        assert box(connection, "acme", "north", "none") is None
        assert len(incidents(connection, "acme", box="gate-box")) == 1
        assert sites(connection, "acme", T0)[0].incidents == 1


def test_an_unknown_company_is_said(world: World) -> None:
    with reading(world.engine) as connection:
        assert company(connection, "none") is None
        with pytest.raises(LookupError):
            overview(connection, "none", T0)


def test_names_and_counts() -> None:
    pack = {"nodes": [{"key": "a", "name_zh": "甲", "name_en": "A"}]}
    assert node_names(pack, "a") == ("甲", "A")
    assert node_names(pack, "b") == ("b", "b")
    assert to_counts({1: 2, 4: 3}) == Counts(kept=2, undecidable=3)
