"""Records against deeds, and the journal against the store: what was lost, what counts twice."""

from collections import Counter, defaultdict
from collections.abc import Iterator
from typing import Any, Final

from agreed.records import (
    BOX_STARTED,
    CODE_REFUSED,
    COMPARTMENT_OPENED,
    GATE_PASSED,
    GATE_REFUSED,
    PARCEL_COLLECTED,
    PARCEL_DEPOSITED,
    TASK_FINISHED,
    TASK_STARTED,
    Record,
    to_records,
)
from agreed.wire import WireError, decode_block
from simulators.cast import KIOSK
from simulators.evidence import JournalFile, RecordRow, is_chained
from simulators.findings import Findings, Scene
from simulators.truth import REFUSED, Deed, Key

_BY_CODE: Final = {TASK_STARTED, TASK_FINISHED, COMPARTMENT_OPENED}
_BY_DOOR: Final = {PARCEL_DEPOSITED, PARCEL_COLLECTED}
_NOT_BY_CARD: Final = {"device_refused", "keys_not_used"}


def until(journal: JournalFile, through: int) -> JournalFile:
    """Leave out the blocks that begin after a sequence: the box went on while we were reading."""
    return JournalFile([data for data in journal.blocks if _first(data) <= through])


def head(journal: JournalFile) -> int:
    """Give the last sequence; 0 for none."""
    if not journal.blocks:
        return 0
    last = journal.blocks[-1]
    return _first(last) + int.from_bytes(last[44:48], "little") - 1


def newest_ms(journal: JournalFile) -> int:
    """Give the wall time of the last record, ms; 0 for none."""
    return int(decode_block(journal.blocks[-1]).columns.wall_ms[-1]) if journal.blocks else 0


def started_ms(journal: JournalFile) -> int:
    """Give the wall time of the box's last start, ms; 0 for none."""
    for data in reversed(journal.blocks):
        for record in reversed(to_records(decode_block(data).columns)):
            if record.node_kind == BOX_STARTED:
                return record.wall_ms
    return 0


def match_journal(scene: Scene, findings: Findings) -> None:
    """The journal against the store: every record once, every field of it, every block as it is."""
    journaled = list(_journaled(scene.journal))
    in_journal = {row.identity: row for row in journaled}
    rows = scene.store.records
    committed = Counter(row.identity for row in rows)
    lost = [identity for identity in in_journal if identity not in committed]
    altered = [r.identity for r in rows if in_journal.get(r.identity, r) != r]
    unknown = [identity for identity in committed if identity not in in_journal]
    twice = [identity for identity, count in committed.items() if count > 1]
    stored = set(scene.store.blocks.values())
    unstored = [_first(data) for data in scene.journal.blocks if data not in stored]
    findings.records_journaled = len(journaled)
    findings.records_committed = len(rows)
    findings.records_lost += len(lost) + len(altered)
    findings.records_duplicated += len(unknown) + len(twice) + len(journaled) - len(in_journal)
    whole = is_chained(scene.journal.blocks) and is_chained(list(scene.store.blocks.values()))
    findings.is_chained = whole and not unstored
    findings.blame("records journaled and not at headquarters", lost)
    findings.blame("records at headquarters that are not what was journaled", altered)
    findings.blame("records at headquarters that were never journaled", unknown)
    findings.blame("records twice", twice)
    findings.blame("blocks that headquarters does not hold as journaled", unstored)
    findings.blame("chain of hashes", [] if whole else ["broken"])


def match_deeds(scene: Scene, findings: Findings) -> None:
    """The deeds against the store: each owed one once, none without a deed, at the right time."""
    told: dict[Key, list[RecordRow]] = defaultdict(list)
    for row in scene.store.records:
        key = _key_of(row)
        if key is not None:
            told[key].append(row)
    done: dict[Key, list[Deed]] = defaultdict(list)
    for deed in scene.deeds:
        for key in deed.keys:
            done[key].append(deed)
    lost, unfounded, misdated = [], [], []
    for key in sorted({*told, *done}):
        deeds = done.get(key, [])
        rows = sorted(told.get(key, []), key=lambda row: row.identity)
        lost += [key] * (sum(d.is_owed and len(d.keys) == 1 for d in deeds) - len(rows))
        unfounded += [key] * (len(rows) - len(deeds))
        if len(rows) == len(deeds) and scene.is_box_steady:
            misdated += _misdated(deeds, rows, scene.latency_ms)
    owed = sum(deed.is_owed for deed in scene.deeds)
    lost += [("all", "devices")] * (owed - len(lost) - sum(map(len, told.values())))
    unproven = _doors_without_record(scene)
    findings.records_lost += len(lost) + len(misdated) + len(unproven)
    findings.records_duplicated += len(unfounded)
    findings.blame("deeds without their record", lost)
    findings.blame("deeds whose record tells another time or another thing", misdated)
    findings.blame("doors opened without a record", unproven)
    findings.blame("records without a deed", unfounded)


def _first(data: bytes) -> int:
    return int.from_bytes(data[36:44], "little")


def _journaled(journal: JournalFile) -> Iterator[RecordRow]:
    for data in journal.blocks:
        try:
            block = decode_block(data)
        except WireError:  # the chain is judged by its bytes, so this does not go unseen
            continue
        for record in to_records(block.columns):
            yield _row(block.origin.epoch.hex(), record)


def _misdated(deeds: list[Deed], rows: list[RecordRow], latency_ms: int) -> list[Any]:
    return [
        (*deed.keys, row.node_kind, row.wall_ms - deed.at_ms)
        for deed, row in zip(deeds, rows, strict=True)
        if row.node_kind not in deed.kinds or abs(row.wall_ms - deed.at_ms) > latency_ms
    ]


def _doors_without_record(scene: Scene) -> list[int]:
    recorded = Counter(
        row.detail for row in scene.store.records if row.node_kind == COMPARTMENT_OPENED
    )
    opened = Counter(str(part) for part in scene.doors_opened)
    return [int(part) for part in (opened - recorded).elements()]


def _key_of(record: RecordRow) -> Key | None:
    """Say which deed could be behind a record; None for what the box says of itself."""
    if record.node_kind == GATE_PASSED:
        return record.device, record.subject
    if record.node_kind in {CODE_REFUSED, GATE_REFUSED} and record.detail not in _NOT_BY_CARD:
        return record.device, REFUSED
    if record.node_kind in _BY_CODE:
        return KIOSK, record.reference
    if record.node_kind in _BY_DOOR:
        return record.device, record.detail.split(" ")[0]
    return None


def _row(epoch: str, record: Record) -> RecordRow:
    return RecordRow(
        epoch,
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
