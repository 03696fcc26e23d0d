"""A small headquarters to test against: one site, one box, one pack, blocks by hand."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from hashlib import sha256
from itertools import count

from sqlalchemy import Engine

from agreed.messages import Committed, Refused
from agreed.promises import Verdict
from agreed.records import ClockState, Evidence, Record, to_columns
from agreed.signing import end_statement
from agreed.wire import NO_HASH, Origin, WireError, block_hash, encode_block
from cloud import reads
from cloud.database.engine import reading, writing
from cloud.database.fleet import BoxName, Place
from cloud.database.keys import BY_PERSON, pin_key
from cloud.database.views import LedgerCheck, OrderView, Statement
from cloud.ingest.checking import Arrival
from cloud.ingest.commit import Ingested, ingest_blocks
from cloud.office.boxes import accept_box, add_box
from cloud.office.money import FundingRequest, fund_pool
from cloud.office.orders import OrderRequest, create_orders, publish_pack
from cloud.office.sites import SiteRequest, WorkerRequest, open_company, open_site, put_workers
from cloud.settlement.packs import Pack
from edge.key import BoxKey, make_key

T0 = 1_800_000_000_000
MINUTE = 60_000
HOUR = 60 * MINUTE
LATER = T0 + 30 * 24 * HOUR
PLACE = Place("acme", "north")
BOX = BoxName("acme", "north", "gate-box")
STREAM = bytes(range(16))
KEY = make_key(b"k" * 32)

CLEANING = Pack.model_validate(
    {
        "key": "cleaning",
        "name_zh": "空调清洗",
        "name_en": "Air conditioner cleaning",
        "supplier": "clean-co",
        "price_fen": 19_900,
        "supplier_cost_fen": 6_000,
        "platform_bp": 600,
        "pool_bp": 5_000,
        "nodes": [
            {
                "key": "arrive",
                "name_zh": "上门",
                "name_en": "Arrival",
                "node_kind": "gate_passed",
                "match": "worker",
                "tolerance_minutes": 10,
                "hard_minutes": 60,
                "rate_fen": 500,
            },
            {
                "key": "finish",
                "name_zh": "验收",
                "name_en": "Accepted by standard",
                "node_kind": "task_finished",
                "offset_minutes": 90,
                "tolerance_minutes": 15,
                "hard_minutes": 120,
                "is_critical": True,
                "weight": 3,
                "rate_fen": 2_501,
                "code": "finish",
            },
        ],
    }
)


def fact(at_ms: int, kind: str, **more: object) -> Record:
    """A record without its sequence; `sequenced` numbers it."""
    fields: dict[str, object] = {
        "mono_ns": max(0, at_ms - T0) * 1_000_000,
        "wall_ms": at_ms,
        "bound_ms": 50,
        "clock_state": ClockState.SYNCED,
        "evidence": Evidence.DEVICE,
        "device": "gate-1",
    }
    return Record(sequence=1, node_kind=kind, **(fields | more))  # type: ignore[arg-type]


def passed(at_ms: int, worker: str = "w-1", **more: object) -> Record:
    return fact(at_ms, "gate_passed", subject=worker, **more)


def finished(at_ms: int, order: str, **more: object) -> Record:
    return fact(at_ms, "task_finished", subject="r-1", reference=order, **more)


def alive(at_ms: int, **more: object) -> Record:
    return fact(at_ms, "box_alive", device="", **more)


@dataclass
class Chain:
    """A box's journal: turns facts into chained blocks."""

    box: BoxName = BOX
    epoch: bytes = b"e" * 16
    previous: bytes = NO_HASH
    next_sequence: int = 1

    def block(self, *facts: Record, boot: bytes = b"b" * 16) -> bytes:
        records = [
            Record(**{**{n: getattr(r, n) for n in Record.__slots__}, "sequence": s})
            for s, r in enumerate(facts, self.next_sequence)
        ]
        origin = Origin(*self.box, self.epoch, boot)
        data = encode_block(origin, self.previous, to_columns(records))
        self.previous = block_hash(data)
        self.next_sequence += len(records)
        return data

    def fork(self) -> "Chain":
        return Chain(self.box, self.epoch, self.previous, self.next_sequence)


def codes() -> Iterator[str]:
    return (f"CODE{sha256(str(i).encode()).hexdigest()[:8]}" for i in count())


def arrival(*data: bytes, box: BoxName = BOX, key: BoxKey = KEY) -> Arrival:
    """Blocks under one signature; what is no block gets one that covers nothing."""
    try:
        signature = key.sign(end_statement(data[-1]))
    except WireError:
        signature = bytes(64)
    return Arrival(box, list(data), signature)


@dataclass
class World:
    """One headquarters with an accepted box."""

    engine: Engine
    chain: Chain = field(default_factory=Chain)
    codes: Iterator[str] = field(default_factory=codes)

    def __post_init__(self) -> None:
        open_company(self.engine, "acme", "Acme", T0)
        open_site(self.engine, "acme", SiteRequest(site="north", name="North"), T0)
        add_box(self.engine, BOX, STREAM, T0)
        accept_box(self.engine, BOX, STREAM, T0)
        workers = [WorkerRequest(worker=f"w-{i}", name=f"W{i}") for i in (1, 2)]
        put_workers(self.engine, PLACE, workers, T0)
        publish_pack(self.engine, "acme", CLEANING, T0)
        self.know(BOX)

    def know(self, box: BoxName, key: BoxKey = KEY) -> None:
        """Know a box by its key, as after its first word."""
        with writing(self.engine) as connection:
            pin_key(connection, box, key.public, BY_PERSON, T0)

    def order(
        self, order_id: str, at_ms: int = T0 + HOUR, now_ms: int = T0, **more: object
    ) -> None:
        fields: dict[str, object] = {"worker": "w-1", "resident": "r-1", "pack": "cleaning"}
        request = OrderRequest.model_validate(
            fields | {"order_id": order_id, "booked_from_ms": at_ms} | more
        )
        create_orders(self.engine, PLACE, [request], lambda: next(self.codes), now_ms)

    def fund(self, amount_fen: int, key: str = "first") -> int:
        return fund_pool(self.engine, PLACE, FundingRequest(key=key, amount_fen=amount_fen), T0)

    def send(self, *data: bytes, box: BoxName = BOX, now_ms: int = LATER) -> Ingested:
        return ingest_blocks(self.engine, [arrival(one, box=box) for one in data], now_ms)

    def tell(self, *facts: Record) -> Ingested:
        return self.send(self.chain.block(*facts))

    def view(self, order_id: str, now_ms: int = LATER) -> OrderView:
        with reading(self.engine) as connection:
            found = reads.order_view(connection, "acme", "north", order_id, now_ms)
        assert found is not None
        return found

    def verdicts(self, order_id: str) -> dict[str, Verdict]:
        return {node.node: node.verdict for node in self.view(order_id).nodes}

    def statement(self, worker: str = "w-1") -> Statement:
        with reading(self.engine) as connection:
            return reads.statement(connection, "acme", worker, 0, 2**62)

    def balance(self, account: str) -> int:
        with reading(self.engine) as connection:
            held = {a.account: a.balance_fen for a in reads.accounts(connection, "acme")}
        return held.get(account, 0)

    def check(self) -> LedgerCheck:
        with reading(self.engine) as connection:
            return reads.ledger_check(connection, "acme")


def committed(ingested: Ingested, box: BoxName = BOX) -> Committed:
    answer = ingested.answers[box]
    assert isinstance(answer, Committed), answer
    return answer


def refused(ingested: Ingested, box: BoxName = BOX) -> Refused:
    answer = ingested.answers[box]
    assert isinstance(answer, Refused), answer
    return answer
