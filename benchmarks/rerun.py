"""What a month's run costs again after a few of its orders changed.

Through the real ingest and the real desk: a month of orders with two nodes each is told by one
box, judged, settled, posted and previewed under a plan. Then late records change the verdicts of a
few orders: they are ingested, and the run is previewed again. All of it is timed on the wall.
"""

from collections.abc import Callable, Iterator
from time import perf_counter
from typing import Any, Final

from sqlalchemy import Engine

from agreed.limits import BASIS_POINTS
from agreed.records import Record
from cloud.database.engine import open_engine, writing
from cloud.database.fleet import BoxName, Place
from cloud.database.keys import BY_PERSON, pin_key
from cloud.database.migrate import migrate
from cloud.ingest.commit import ingest_blocks
from cloud.office.boxes import accept_box, add_box
from cloud.office.money import FundingRequest, fund_pool
from cloud.office.orders import OrderRequest, create_orders, publish_pack
from cloud.office.people import Duty, Person
from cloud.office.plans import publish_plan
from cloud.office.settling import Run, Settling
from cloud.office.sites import SiteRequest, WorkerRequest, open_company, open_site, put_workers
from cloud.settlement.packs import Pack
from cloud.settlement.periods import span_ms
from cloud.settlement.plans import Plan
from edge.key import make_key
from simulators.telling import Telling, fact

PLACE: Final = Place("bench", "site")
BOX: Final = BoxName(*PLACE, "gate")
STREAM: Final = b"gate".ljust(16, b".")
KEY: Final = make_key(b"b" * 32)
CLERK: Final = Person("lin", "Lin", frozenset({Duty.CLERK}))
PERIOD: Final = "2026-03"
FROM_MS, UNTIL_MS = span_ms(PERIOD, 480)
MINUTE_MS: Final = 60_000
WORKERS: Final = 200
BATCH: Final = 500
"""Orders booked, or told of, in one transaction."""

PACK: Final = Pack.model_validate(
    {
        "key": "cleaning",
        "name_zh": "清洗",
        "name_en": "Cleaning",
        "supplier": "clean-co",
        "price_fen": 9_999,
        "supplier_cost_fen": 3_333,
        "platform_bp": 600,
        "pool_bp": 6_000,
        "nodes": [
            {
                "key": key,
                "name_zh": key,
                "name_en": key,
                "node_kind": "task_finished",
                "offset_minutes": offset,
                "tolerance_minutes": 10,
                "hard_minutes": 30,
                "rate_fen": rate,
            }
            for key, offset, rate in (("clean", 60, 701), ("check", 180, 403))
        ],
    }
)
PLAN: Final = Plan.model_validate(
    {
        "key": "spring",
        "name_zh": "春季方案",
        "name_en": "Spring plan",
        "from_period": PERIOD,
        "waterfall": {"retained_bp": 4_000, "front_line_bp": 6_000},
        "rates": [{"pack": "cleaning", "node": "check", "rate_fen": 450}],
        "tiers": {
            "bands": [
                {"from_fen": 0, "to_fen": 20_000, "rate_bp": 10_000},
                {"from_fen": 20_000, "rate_bp": 11_000},
            ]
        },
    }
)


def measure(url: str, orders: int, changed_bp: int) -> dict[str, Any]:
    """Settle a month of orders, change some of them by late records, and settle again.

    Args:
        url: of an empty store.
        orders: in the month.
        changed_bp: of them change, basis points.

    Returns:
        seconds of ingest and preview, the first time and again, and what they are of the first.
    """
    changed = max(1, orders * changed_bp // BASIS_POINTS)
    engine = open_engine(url)
    try:
        migrate(engine)
        _open(engine, orders)
        box, desk = _Box(engine), Settling(engine, PLACE)
        on_time = [*range(changed, orders)]
        ingest_s, _ = _timed(lambda: box.tell_all(on_time, is_last=True))
        preview_s, first = _timed(lambda: _preview(desk))
        again_s, _ = _timed(lambda: box.tell_all([*range(changed)]))
        preview_again_s, second = _timed(lambda: _preview(desk))
        unchanged_s, third = _timed(lambda: _preview(desk))
    finally:
        engine.dispose()
    assert first.hash != second.hash == third.hash
    return {
        "orders": orders,
        "changed": changed,
        "first": {"ingest_s": round(ingest_s, 3), "preview_s": round(preview_s, 3)},
        "again": {"ingest_s": round(again_s, 3), "preview_s": round(preview_again_s, 3)},
        "unchanged": {"preview_s": round(unchanged_s, 3)},
        "again_vs_first": round((again_s + preview_again_s) / (ingest_s + preview_s), 4),
        "preview_again_vs_first": round(preview_again_s / preview_s, 3),
    }


class _Box:
    """One box that tells of orders, in a chain."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._telling = Telling(BOX, KEY)

    def tell_all(self, numbers: list[int], *, is_last: bool = False) -> None:
        """Tell of orders; with the last of them, that the month is over."""
        for start in range(0, len(numbers), BATCH):
            part = numbers[start : start + BATCH]
            facts = [one for number in part for one in _facts(number)]
            is_end = is_last and start + BATCH >= len(numbers)
            facts += [fact(UNTIL_MS, "box_alive")] if is_end else []
            ingest_blocks(self._engine, [self._telling.block(facts)], UNTIL_MS + MINUTE_MS)


def _open(engine: Engine, orders: int) -> None:
    """Open everything a month needs, fund it, and book its orders."""
    open_company(engine, PLACE.company, "Bench", FROM_MS)
    open_site(engine, PLACE.company, SiteRequest(site=PLACE.site, name="Site"), FROM_MS)
    add_box(engine, BOX, STREAM, FROM_MS)
    accept_box(engine, BOX, STREAM, FROM_MS)
    with writing(engine) as connection:
        pin_key(connection, BOX, KEY.public, BY_PERSON, FROM_MS)
    workers = [WorkerRequest(worker=f"w-{i}", name=f"w-{i}") for i in range(WORKERS)]
    put_workers(engine, PLACE, workers, FROM_MS)
    publish_pack(engine, PLACE.company, PACK, FROM_MS)
    publish_plan(engine, PLACE.company, PLAN, "bench", FROM_MS)
    fund_pool(engine, PLACE, FundingRequest(key="all", amount_fen=10**10), FROM_MS)
    for start in range(0, orders, BATCH):
        wanted = [_order(number) for number in range(start, min(orders, start + BATCH))]
        create_orders(engine, PLACE, wanted, lambda: "CODE00", FROM_MS)


def _booked_ms(number: int) -> int:
    """Spread orders over days and minutes of the month."""
    return FROM_MS + (number % 28) * 24 * 60 * MINUTE_MS + (number % 1_000) * MINUTE_MS


def _order(number: int) -> OrderRequest:
    return OrderRequest(
        order_id=f"o-{number}",
        pack=PACK.key,
        worker=f"w-{number % WORKERS}",
        resident="r",
        booked_from_ms=_booked_ms(number),
    )


def _facts(number: int) -> Iterator[Record]:
    for offset in (60, 180):
        wall_ms = _booked_ms(number) + offset * MINUTE_MS
        yield fact(wall_ms, "task_finished", "r", f"o-{number}")


def _preview(desk: Settling) -> Run:
    return desk.preview(PERIOD, CLERK, UNTIL_MS + 2 * MINUTE_MS)


def _timed(act: Callable[[], Any]) -> tuple[float, Any]:
    begun = perf_counter()
    found = act()
    return perf_counter() - begun, found
