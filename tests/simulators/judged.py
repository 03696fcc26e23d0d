"""A small scene that is in order, for the judge's tests to spoil."""

from dataclasses import replace

from agreed.promises import Match, Verdict
from agreed.records import ClockState, Evidence, Record, to_columns
from agreed.wire import NO_HASH, Origin, block_hash, encode_block
from simulators.cast import KIOSK, LOCKER
from simulators.evidence import (
    AccountRow,
    JournalFile,
    LineRow,
    PromiseRow,
    RecordRow,
    Store,
    TransferRow,
)
from simulators.findings import Scene
from simulators.truth import Deed

EPOCH = b"e" * 16
_ORIGIN = Origin("hexin", "yuhuayuan", "box-1", EPOCH, b"b" * 16)
_RECORDS = [
    Record(1, 1, 1_000, 5, ClockState.SYNCED, Evidence.DEVICE, "", "box_started"),
    Record(2, 2, 2_000, 5, ClockState.SYNCED, Evidence.DEVICE, "gate-north", "gate_passed", "w-01"),
    Record(
        3,
        3,
        3_000,
        5,
        ClockState.SYNCED,
        Evidence.KIOSK,
        LOCKER,
        "compartment_opened",
        "w-01",
        "p1",
        "4",
    ),
    Record(
        4,
        4,
        4_000,
        5,
        ClockState.SYNCED,
        Evidence.DEVICE,
        LOCKER,
        "parcel_deposited",
        "w-01",
        "p1",
        "4",
    ),
]


def _blocks() -> list[bytes]:
    first = encode_block(_ORIGIN, NO_HASH, to_columns(_RECORDS[:2]))
    return [first, encode_block(_ORIGIN, block_hash(first), to_columns(_RECORDS[2:]))]


def _row(record: Record) -> RecordRow:
    return RecordRow(
        EPOCH.hex(),
        record.sequence,
        record.wall_ms,
        record.bound_ms,
        record.mono_ns,
        int(record.clock_state),
        int(record.evidence),
        record.device,
        record.node_kind,
        record.subject,
        record.reference,
        record.detail,
    )


def _deed(device: str, what: str, kind: str, at_ms: int, order: str = "") -> Deed:
    worker = "w-01" if device.startswith("gate") else ""
    return Deed(frozenset({(device, what)}), frozenset({kind}), worker, order, at_ms, is_owed=True)


def _promise(node: str, kind: str, match: Match, rate_fen: int) -> PromiseRow:
    return PromiseRow(
        "p1",
        node,
        "w-01",
        kind,
        match,
        0,
        3_000,
        2_000,
        9_000,
        0,
        0,
        rate_fen,
        Verdict.KEPT,
        10_000,
    )


def good_scene() -> Scene:
    """One courier, one parcel, two nodes kept and paid."""
    blocks = _blocks()
    store = Store(
        [_row(record) for record in _RECORDS],
        [
            _promise("arrive", "gate_passed", Match.BY_WORKER, 20),
            _promise("deposit", "parcel_deposited", Match.BY_ORDER, 80),
        ],
        [
            LineRow("p1", "arrive", "pay", "w-01", "posted", 20, 2),
            LineRow("p1", "deposit", "pay", "w-01", "posted", 80, 3),
        ],
        [
            TransferRow(1, "funding", "outside", "pool", 500, ""),
            TransferRow(2, "commission", "pool", "commission/w-01", 20, "p1"),
            TransferRow(3, "commission", "pool", "commission/w-01", 80, "p1"),
        ],
        [
            AccountRow("outside", "outside", 500, 0),
            AccountRow("pool", "pool", 100, 500),
            AccountRow("commission/w-01", "commission", 0, 100),
        ],
        {(EPOCH.hex(), 1): blocks[0], (EPOCH.hex(), 3): blocks[1]},
        {"w-01": "王伟"},
        20_000,
    )
    deeds = [
        _deed("gate-north", "w-01", "gate_passed", 1_990),
        _deed(KIOSK, "p1", "compartment_opened", 2_990, "p1"),
        _deed(LOCKER, "4", "parcel_deposited", 3_990, "p1"),
    ]
    return Scene(deeds, JournalFile(blocks), store, doors_opened=[4], latency_ms=100)


def with_store(scene: Scene, **changes: object) -> Scene:
    """Change what headquarters holds."""
    return replace(scene, store=replace(scene.store, **changes))  # type: ignore[arg-type]
