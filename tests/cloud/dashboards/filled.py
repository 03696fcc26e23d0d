"""A store filled with one afternoon of two sites, decided and paid by the production rules."""

import random
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import asdict
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, insert, update

from agreed.promises import Match, Verdict
from agreed.records import GATE_PASSED, PARCEL_DEPOSITED
from cloud.database import books, schema
from cloud.database.engine import open_engine, reading, sqlite_url, writing
from cloud.database.fleet import Place
from cloud.database.migrate import migrate
from cloud.fulfilment.deciding import Decision, Witness, decide
from cloud.office.people import OPERATOR
from cloud.office.settling import Settling
from cloud.settlement.paying import Due, settle
from cloud.settlement.reasons import ProvenBy
from cloud.settlement.waterfall import COMPANY as OUTSIDE
from cloud.settlement.waterfall import POOL, Move
from tests.cloud.dashboards.example import (
    BOXES,
    COMPANY,
    COVERED_MS,
    DAY_MS,
    EPOCH,
    HOUR_MS,
    MINUTE_MS,
    NAMES,
    NOW_MS,
    PACKS,
    POOL_FEN,
    SITES,
    Placed,
    box_rows,
    promise_of,
    site_of,
)


def filled_engine(folder: Path, *, orders: int = 160) -> Engine:
    """Make a store in a folder and fill it."""
    engine = open_engine(sqlite_url(folder / "store.db"))
    migrate(engine)
    with writing(engine) as connection:
        _fill(connection, orders)
    for site in SITES:
        june_ms = DAY_MS + 13 * 24 * HOUR_MS
        Settling(engine, Place(COMPANY, site)).preview("2026-05", OPERATOR, june_ms)
    return engine


def empty_engine(folder: Path) -> Engine:
    """Make a store that knows its company and nothing else."""
    engine = open_engine(sqlite_url(folder / "empty.db"))
    migrate(engine)
    with writing(engine) as connection:
        _company(connection)
    return engine


def reader(engine: Engine) -> Callable[[], AbstractContextManager[Connection]]:
    """Give what the pages read with."""
    return partial(reading, engine)


def _company(connection: Connection) -> None:
    row = {"company": COMPANY, "name": "和信物业", "created_at_ms": DAY_MS}
    connection.execute(insert(schema.companies), row)


def _fill(connection: Connection, orders: int) -> None:
    dice = random.Random(7)
    _company(connection)
    for site, name in SITES.items():
        row = {"company": COMPANY, "site": site, "name": name, "created_at_ms": DAY_MS}
        connection.execute(insert(schema.sites), row | {"covered_until_ms": COVERED_MS[site]})
    for pack in PACKS:
        connection.execute(
            insert(schema.packs),
            {
                "company": COMPANY,
                "pack": pack.key,
                "version": 2,
                "content": pack.model_dump(mode="json"),
                "published_at_ms": DAY_MS,
            },
        )
    _boxes(connection)
    _workers(connection)
    placed = _orders(connection, dice, orders)
    for site in SITES:
        mine = [p for p in placed if p.site == site]
        witnesses = _records(connection, dice, site, mine)
        decisions = decide([p.promise for p in mine], witnesses, COVERED_MS[site])
        _verdicts(connection, mine, decisions)
        _money(connection, site, mine, decisions)


def _boxes(connection: Connection) -> None:
    for row in box_rows():
        connection.execute(insert(schema.boxes), row)
    for site, box in BOXES:
        connection.execute(
            insert(schema.journals),
            {
                "company": COMPANY,
                "site": site,
                "box": box,
                "epoch": EPOCH,
                "begun_at_ms": DAY_MS,
                "committed_head": sha256(box.encode()).digest(),
                "covered_until_ms": COVERED_MS[site],
            },
        )
    connection.execute(
        insert(schema.incidents),
        {
            "company": COMPANY,
            "site": "binjiang",
            "box": "box-1",
            "incident": 1,
            "kind": "forked",
            "at_ms": COVERED_MS["binjiang"],
            "detail": {"block_first": 412, "held_head": "9f" * 32, "block_previous": "a3" * 32},
        },
    )


def _workers(connection: Connection) -> None:
    for index, name in enumerate(NAMES):
        connection.execute(
            insert(schema.workers),
            {
                "company": COMPANY,
                "site": site_of(index),
                "worker": f"w{index:02}",
                "name": name,
                "created_at_ms": DAY_MS,
            },
        )


def _orders(connection: Connection, dice: random.Random, count: int) -> list[Placed]:
    placed = []
    for number in range(count):
        pack = PACKS[(0, 0, 0, 1, 2)[number % 5]]
        worker = dice.randrange(len(NAMES) - 1)  # the last one promises nothing
        site = site_of(worker)
        at_ms = DAY_MS + 7 * HOUR_MS + dice.randrange(13 * 12) * 5 * MINUTE_MS
        order = f"{'PCR'[PACKS.index(pack)]}{number:04}"
        connection.execute(
            insert(schema.orders),
            {
                "company": COMPANY,
                "site": site,
                "order_id": order,
                "pack": pack.key,
                "pack_version": 2,
                "worker": f"w{worker:02}",
                "resident": f"r{dice.randrange(300):03}",
                "status": "open",
                "booked_from_ms": at_ms,
                "booked_until_ms": at_ms + 30 * MINUTE_MS,
                "income_fen": pack.price_fen,
                "codes": [],
                "created_at_ms": DAY_MS,
            },
        )
        placed += [
            Placed(site, pack, i, promise_of(order, f"w{worker:02}", node, at_ms), node.rate_fen)
            for i, node in enumerate(pack.nodes)
        ]
    return placed


def _records(
    connection: Connection, dice: random.Random, site: str, placed: list[Placed]
) -> list[Witness]:
    deeds = []
    for one in placed:
        fate = dice.random()
        if fate < 0.05:
            continue  # never happens
        late_ms = dice.randrange(12, 75) * MINUTE_MS if fate < 0.13 else 0
        at_ms = one.promise.promised_at_ms + dice.randrange(-20, 9) * MINUTE_MS + late_ms
        at_ms += dice.randrange(60_000)
        bound_ms = 25 * MINUTE_MS if fate > 0.97 else dice.randrange(4, 400)
        if at_ms < COVERED_MS[site]:
            deeds.append((at_ms, bound_ms, one))
    deeds.sort(key=lambda deed: deed[0])
    witnesses = [_record(connection, site, i + 1, *deed) for i, deed in enumerate(deeds)]
    _blocks(connection, site, witnesses)
    return witnesses


def _record(
    connection: Connection, site: str, sequence: int, at_ms: int, bound_ms: int, one: Placed
) -> Witness:
    by_order = one.promise.match is Match.BY_ORDER
    device = {GATE_PASSED: "gate-north", PARCEL_DEPOSITED: "locker-1"}
    witness = Witness(
        box="box-1",
        epoch=EPOCH,
        sequence=sequence,
        wall_ms=at_ms,
        bound_ms=bound_ms,
        clock_state=2 if bound_ms < 1_000 else 1,
        evidence=1 if one.promise.node_kind in device else 2,
        device=device.get(one.promise.node_kind, "kiosk-1"),
        node_kind=one.promise.node_kind,
        subject=one.promise.worker,
        reference=one.promise.order if by_order else "",
        block_first=(sequence - 1) // 8 * 8 + 1,
    )
    row = asdict(witness) | {
        "company": COMPANY,
        "site": site,
        "mono_ns": (at_ms - DAY_MS) * 1_000_000,
        "detail": "compartment 17" if one.promise.node_kind == PARCEL_DEPOSITED else "",
    }
    connection.execute(insert(schema.records), row)
    return witness


def _hash(site: str, first: int) -> bytes:
    return sha256(f"{site}/{first}".encode()).digest()


def _blocks(connection: Connection, site: str, witnesses: list[Witness]) -> None:
    for first in sorted({w.block_first for w in witnesses}):
        inside = [w for w in witnesses if w.block_first == first]
        connection.execute(
            insert(schema.blocks),
            {
                "company": COMPANY,
                "site": site,
                "box": "box-1",
                "epoch": EPOCH,
                "first": first,
                "last": inside[-1].sequence,
                "boot": EPOCH,
                "hash": _hash(site, first),
                "previous": _hash(site, first - 8),
                "data": b"",
                "received_at_ms": inside[-1].wall_ms + 900,
            },
        )
    connection.execute(
        update(schema.journals)
        .where(schema.journals.c.site == site, schema.journals.c.box == "box-1")
        .values(committed_through=len(witnesses), committed_head=_hash(site, 1))
    )


def _verdicts(connection: Connection, placed: list[Placed], decisions: list[Decision]) -> None:
    for one, decision in zip(placed, decisions, strict=True):
        promise = one.promise
        due_ms = promise.promised_at_ms + promise.tolerance_ms
        key = {"company": COMPANY, "site": one.site, "order_id": promise.order}
        is_decided = decision.verdict is not Verdict.OPEN
        terms = {k: v for k, v in asdict(promise).items() if k != "order"}
        connection.execute(
            insert(schema.promises),
            terms
            | key
            | {
                "position": one.position,
                "match": int(promise.match),
                "rate_fen": one.rate_fen,
                "at_risk_at_ms": due_ms - promise.at_risk_ms,
                "due_at_ms": due_ms,
                "hard_at_ms": promise.promised_at_ms + promise.hard_ms,
                "verdict": int(decision.verdict),
                "revision": int(is_decided),
                "score_bp": decision.score_bp,
            },
        )
        if is_decided:
            connection.execute(insert(schema.verdicts), key | _verdict(one, decision))


def _verdict(one: Placed, decision: Decision) -> dict[str, Any]:
    witness = decision.witness
    return {
        "node": one.promise.node,
        "revision": 1,
        "verdict": int(decision.verdict),
        "actual_at_ms": witness.wall_ms if witness else None,
        "bound_ms": decision.bound_ms,
        "deviation_ms": decision.deviation_ms,
        "score_bp": decision.score_bp,
        "covered_until_ms": COVERED_MS[one.site],
        "box": witness.box if witness else None,
        "epoch": witness.epoch if witness else None,
        "sequence": witness.sequence if witness else None,
        "block_hash": _hash(one.site, witness.block_first) if witness else None,
        "decided_at_ms": witness.wall_ms + 1_000 if witness else NOW_MS - 60_000,
    }


def _due(one: Placed, decision: Decision) -> Due:
    witness, promise = decision.witness, one.promise
    proof = None
    if witness:
        block = _hash(one.site, witness.block_first).hex()
        proof = ProvenBy(
            box=witness.box, epoch=witness.epoch.hex(), sequence=witness.sequence, block_hash=block
        )
    return Due(
        order_id=promise.order,
        node=promise.node,
        revision=1,
        worker=promise.worker,
        verdict=decision.verdict,
        pack=one.pack.key,
        pack_version=2,
        name_zh=one.terms.name_zh,
        name_en=one.terms.name_en,
        promised_at_ms=promise.promised_at_ms,
        tolerance_ms=promise.tolerance_ms,
        hard_ms=promise.hard_ms,
        early_bp_per_hour=0,
        early_bp_max=0,
        actual_at_ms=witness.wall_ms if witness else None,
        bound_ms=decision.bound_ms,
        deviation_ms=decision.deviation_ms,
        score_bp=decision.score_bp,
        rate_fen=one.rate_fen,
        covered_until_ms=COVERED_MS[one.site],
        evidence=proof,
    )


def _money(
    connection: Connection, site: str, placed: list[Placed], decisions: list[Decision]
) -> None:
    pool_fen = POOL_FEN if site == "yuhuayuan" else 4_000  # too little for everybody there
    place = Place(COMPANY, site)
    funding = Move("funding/1", "funding", OUTSIDE, POOL, pool_fen, DAY_MS, "", {})
    books.post(connection, place, [funding], DAY_MS)
    dues = [_due(one, d) for one, d in zip(placed, decisions, strict=True)]
    books.store(connection, place, settle(pool_fen, dues, [], []), NOW_MS)
