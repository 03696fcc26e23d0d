"""Who and what the filled store is about: two sites, three packs, twelve workers, one afternoon."""

from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Any, Final

from agreed.promises import Promise
from agreed.records import GATE_PASSED, PARCEL_DEPOSITED, TASK_FINISHED, TASK_STARTED
from cloud.settlement.packs import MatchBy, Pack, PackNode

COMPANY: Final = "hexin"
LOCAL: Final = timezone(timedelta(hours=8))
DAY_MS: Final = int(datetime(2026, 5, 20, tzinfo=LOCAL).timestamp()) * 1000
MINUTE_MS: Final = 60_000
HOUR_MS: Final = 60 * MINUTE_MS
NOW_MS: Final = DAY_MS + 15 * HOUR_MS + 32 * MINUTE_MS + 7_450
SITES: Final = {"yuhuayuan": "御花园", "binjiang": "滨江苑"}
COVERED_MS: Final = {
    "yuhuayuan": NOW_MS - 4_000,
    "binjiang": DAY_MS + 13 * HOUR_MS + 38 * MINUTE_MS,
}
BOXES: Final = (("yuhuayuan", "box-1"), ("yuhuayuan", "box-2"), ("binjiang", "box-1"))
NAMES: Final = (
    *("王秀英", "李强", "张磊", "刘洋", "陈艳", "杨勇"),
    *("赵军", "黄杰", "周娟", "吴涛", "徐明", "孙超"),
)
EPOCH: Final = bytes(range(16))
POOL_FEN: Final = 80_000


def _node(key: str, names: tuple[str, str], kind: str, offset: int, rate: int) -> PackNode:
    match = MatchBy.WORKER if kind == GATE_PASSED else MatchBy.ORDER
    return PackNode(
        key=key,
        name_zh=names[0],
        name_en=names[1],
        node_kind=kind,
        match=match,
        offset_minutes=offset,
        opens_minutes=45,
        tolerance_minutes=10,
        hard_minutes=60,
        rate_fen=rate,
    )


_ARRIVE: Final = _node("arrive", ("到场", "On site"), GATE_PASSED, 0, 150)
PACKS: Final = (
    Pack(
        key="parcel",
        name_zh="团购快递入柜",
        name_en="Group-buy parcel to locker",
        price_fen=500,
        nodes=[_ARRIVE, _node("deposit", ("入柜", "In the locker"), PARCEL_DEPOSITED, 15, 180)],
    ),
    Pack(
        key="cleaning",
        name_zh="家电清洗",
        name_en="Appliance cleaning",
        price_fen=16_800,
        nodes=[
            _ARRIVE,
            _node("start", ("开工", "Started"), TASK_STARTED, 10, 300),
            _node("finish", ("按标准验收", "Accepted by standard"), TASK_FINISHED, 90, 2_805),
        ],
    ),
    Pack(
        key="repair",
        name_zh="上门维修",
        name_en="Home repair",
        price_fen=9_800,
        nodes=[
            _ARRIVE,
            _node("start", ("开工", "Started"), TASK_STARTED, 10, 300),
            _node("finish", ("按标准验收", "Accepted by standard"), TASK_FINISHED, 60, 1_995),
        ],
    ),
)


@dataclass(frozen=True, slots=True)
class Placed:
    """One promised node with what the tables want of it."""

    site: str
    pack: Pack
    position: int
    promise: Promise
    rate_fen: int

    @property
    def terms(self) -> PackNode:
        return self.pack.nodes[self.position]


def site_of(worker: int) -> str:
    return "binjiang" if worker % 4 == 3 else "yuhuayuan"


def promise_of(order: str, worker: str, node: PackNode, at_ms: int) -> Promise:
    promised_ms = at_ms + node.offset_minutes * MINUTE_MS
    return Promise(
        order=order,
        node=node.key,
        worker=worker,
        node_kind=node.node_kind,
        match=node.match.match,
        opens_at_ms=promised_ms - node.opens_minutes * MINUTE_MS,
        promised_at_ms=promised_ms,
        tolerance_ms=node.tolerance_minutes * MINUTE_MS,
        hard_ms=node.hard_minutes * MINUTE_MS,
        at_risk_ms=node.at_risk_minutes * MINUTE_MS,
    )


def box_rows() -> list[dict[str, Any]]:
    """Four boxes: well, behind with a silent gate, away and forked, not accepted yet."""
    common: dict[str, Any] = {
        "company": COMPANY,
        "status": "accepted",
        "added_at_ms": DAY_MS,
        "epoch": EPOCH,
        "directive_stream": EPOCH,
        "directives_through": 60,
        "applied_through": 60,
    }
    online = {"is_online": True, "presence_at_ms": DAY_MS, "last_heard_at_ms": NOW_MS - 3_000}
    away_ms = COVERED_MS["binjiang"]
    return [
        common | online | {"site": "yuhuayuan", "box": "box-1"} | _status(0, 0, 12, []),
        common
        | online
        | {"site": "yuhuayuan", "box": "box-2"}
        | _status(1_284, 95_000, 480, ["gate-south"]),
        common
        | {"site": "binjiang", "box": "box-1", "is_online": False, "applied_through": 57}
        | {"presence_at_ms": away_ms, "last_heard_at_ms": away_ms, "incident": "forked"}
        | _status(37, 4_000, 1_900, [], away_ms),
        common
        | online
        | {"site": "binjiang", "box": "box-new", "status": "pending"}
        | {"epoch": None, "last_heard_at_ms": None, "last_status": None, "last_status_at_ms": None},
    ]


def _status(
    waiting: int, oldest_ms: int, bound_ms: int, lost: list[str], at_ms: int = NOW_MS - 3_000
) -> dict[str, Any]:
    status = {
        "at_ms": at_ms,
        "bound_ms": bound_ms,
        "clock_state": 2,
        "head_sequence": 500,
        "waiting_records": waiting,
        "oldest_waiting_ms": oldest_ms,
        "devices_lost": lost,
    }
    return {"last_status": status, "last_status_at_ms": at_ms}
