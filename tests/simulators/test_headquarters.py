"""Headquarters: the real program, told everything over REST, killed and begun again."""

import asyncio
import time
from pathlib import Path

import pytest

from agreed.directives import CodeAction
from agreed.machine import NS_PER_MS, SimulatedDay
from agreed.words import RemedyError, language
from edge.config import read_settings
from simulators.cast import SITE, Service, cast_of
from simulators.day import DayPlan, DayShape
from simulators.evidence import read_store
from simulators.folder import chosen_port
from simulators.headquarters import Headquarters
from simulators.planning import plan_day
from simulators.site import SimulatedSite

MIDNIGHT_MS = 1_772_380_800_000
SMALL = DayShape(
    close_h=13,
    orders={Service.PARCEL: 3, Service.CLEANING: 10, Service.REPAIR: 6},
    residents=5,
    passages=0,
    outage_h=(7.2, 7.4),
    card_expired_h=(8, 9),
    live_orders=2,
)


def small_day() -> DayPlan:
    return plan_day(1, MIDNIGHT_MS, SMALL, cast_of(1, SMALL.residents))


def now(plan: DayPlan) -> SimulatedDay:
    return SimulatedDay(plan.hour_ms(6) * NS_PER_MS, time.monotonic_ns(), 1)


@pytest.mark.broker
def test_headquarters_learns_the_day_and_survives_kills(tmp_path: Path) -> None:
    plan = small_day()
    late = next(order for order in plan.orders if order.created_at_ms is not None)

    async def play(headquarters: Headquarters) -> None:
        await headquarters.begin(now(plan))
        codes = await headquarters.prepare(plan)
        assert set(codes) == {o.order for o in plan.orders if o.created_at_ms is None}
        for order in plan.orders:
            is_parcel = order.service is Service.PARCEL
            wanted = {CodeAction.DEPOSIT, CodeAction.COLLECT}
            if order.order in codes:
                assert (set(codes[order.order]) == wanted) == is_parcel
        async with SimulatedSite(tmp_path / "box", 1) as site:
            headquarters.write_account(site, 12_345)
            account = read_settings(site.settings).headquarters
            assert (account.host, account.port) == ("127.0.0.1", 12_345)
            assert account.user
            assert account.read_password()
        assert not await headquarters.is_box_ready()
        assert headquarters.kill_broker()
        await headquarters.kill()
        await headquarters.begin(now(plan))
        made = await headquarters.create_order(late)
        assert await headquarters.create_order(late) == made
        await headquarters.renew(plan, plan.renewals[0].worker)

    headquarters = Headquarters(tmp_path, chosen_port(None))

    async def ended() -> None:
        try:
            await play(headquarters)
        finally:
            await headquarters.stop()

    asyncio.run(ended())
    store = read_store(headquarters.store, SITE)
    assert len(store.workers) == 12
    assert {promise.order for promise in store.promises} > {late.order}
    assert not headquarters.kill_broker()


def test_a_headquarters_that_cannot_start_says_where_its_last_words_are(tmp_path: Path) -> None:
    language.set("en")
    (tmp_path / "headquarters").write_text("a file, not a folder")
    headquarters = Headquarters(tmp_path, chosen_port(None))
    with pytest.raises(RemedyError, match=r"last words are in .*headquarters\.log"):
        asyncio.run(headquarters.begin(now(small_day())))
    asyncio.run(headquarters.stop())
    assert headquarters.last_words()
