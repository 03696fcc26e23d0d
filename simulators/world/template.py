"""A migrated store with one site, its boxes, people and first orders; copied for every seed."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from random import Random
from typing import Final

from agreed.directives import Role
from cloud.database.engine import open_engine, sqlite_url
from cloud.database.fleet import BoxName, Place
from cloud.database.migrate import migrate
from cloud.office.boxes import accept_box, add_box
from cloud.office.money import FundingRequest, fund_pool
from cloud.office.orders import OrderRequest, create_orders, publish_pack
from cloud.office.sites import (
    CredentialRequest,
    SiteRequest,
    WorkerRequest,
    open_company,
    open_site,
    put_credentials,
    put_workers,
)
from cloud.settlement.packs import Pack
from simulators.world.clocks import ZERO_WALL_MS

PLACE: Final = Place("acme", "north")
BOXES: Final = (BoxName(*PLACE, "east-gate"), BoxName(*PLACE, "west-gate"))
WORKERS: Final = ("w-1", "w-2", "w-3")
ORDERS_COUNT: Final = 8
YEAR_MS: Final = 365 * 24 * 3_600_000
_FUNDING_FEN: Final = 9_000

PACK: Final = Pack.model_validate(
    {
        "key": "cleaning",
        "name_zh": "空调清洗",
        "name_en": "Air conditioner cleaning",
        "price_fen": 2_000,
        "platform_bp": 600,
        "pool_bp": 5_000,
        "nodes": [
            {
                "key": "arrive",
                "name_zh": "上门",
                "name_en": "Arrival",
                "node_kind": "gate_passed",
                "match": "worker",
                "opens_minutes": 30,
                "tolerance_minutes": 5,
                "hard_minutes": 20,
                "rate_fen": 500,
            },
            {
                "key": "finish",
                "name_zh": "验收",
                "name_en": "Accepted by standard",
                "node_kind": "task_finished",
                "offset_minutes": 15,
                "tolerance_minutes": 5,
                "hard_minutes": 60,
                "early_bp_per_hour": 500,
                "early_bp_max": 1_000,
                "is_critical": True,
                "weight": 3,
                "rate_fen": 2_501,
                "code": "finish",
            },
        ],
    }
)


def path_in(folder: Path, boxes_count: int, span_s: int) -> Path:
    """Name the file of a template."""
    return folder / f"template-{boxes_count}-{span_s}.db"


def make_templates(folder: Path, spans_s: Iterable[int]) -> None:
    """Make every template that worlds of these spans begin with."""
    for span_s in set(spans_s):
        for boxes_count in range(1, len(BOXES) + 1):
            make_template(path_in(folder, boxes_count, span_s), boxes_count, span_s)


def make_template(path: Path, boxes_count: int, span_s: int) -> None:
    """Make the store of a site with so many boxes, whose orders spread over a span."""
    engine = open_engine(sqlite_url(path))
    dice = Random(boxes_count)
    now_ms = ZERO_WALL_MS
    migrate(engine)
    open_company(engine, PLACE.company, "Acme", now_ms)
    open_site(engine, PLACE.company, SiteRequest(site=PLACE.site, name="North"), now_ms)
    workers = [WorkerRequest(worker=worker, name=worker) for worker in WORKERS]
    put_workers(engine, PLACE, workers, now_ms)
    publish_pack(engine, PLACE.company, PACK, now_ms)
    fund_pool(engine, PLACE, FundingRequest(key="first", amount_fen=_FUNDING_FEN), now_ms)
    put_credentials(engine, PLACE, {f"26:{w}": credential(w) for w in WORKERS}, now_ms)
    requests = [order(number, span_s, dice) for number in range(ORDERS_COUNT)]
    create_orders(engine, PLACE, requests, codes(dice).__next__, now_ms)
    for number, name in enumerate(BOXES[:boxes_count]):
        add_box(engine, name, bytes([number + 1]) * 16, now_ms)
        accept_box(engine, name, bytes([number + 1]) * 16, now_ms)
    engine.dispose()


def order(number: int, span_s: int, dice: Random) -> OrderRequest:
    """Book an order for some time of the span."""
    return OrderRequest(
        order_id=f"o-{number}",
        pack=PACK.key,
        worker=dice.choice(WORKERS),
        resident="r-1",
        booked_from_ms=ZERO_WALL_MS + dice.randrange(span_s * 1_000),
    )


def credential(subject: str) -> CredentialRequest:
    """Let a card open the gates for a year."""
    return CredentialRequest(
        subject=subject,
        role=Role.WORKER,
        valid_from_ms=ZERO_WALL_MS - YEAR_MS,
        valid_until_ms=ZERO_WALL_MS + YEAR_MS,
    )


def codes(dice: Random) -> Iterator[str]:
    """Give codes that only this seed has."""
    while True:
        yield f"code{dice.getrandbits(48):012x}"
