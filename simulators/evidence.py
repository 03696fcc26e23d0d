"""What is on the two disks: headquarters' store and the box's journal, read without our services.

Both are opened for reading only and with plain SQL, so that no code under test stands between the
files and the judge.
"""

from contextlib import closing
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

import pysqlite3.dbapi2 as sqlite

_BUSY_S: Final = 15.0


@dataclass(frozen=True, slots=True)
class RecordRow:
    """One record at headquarters; fields as in `agreed.records.Record`, times in ms."""

    epoch: str
    sequence: int
    wall_ms: int
    bound_ms: int
    mono_ns: int
    clock_state: int
    evidence: int
    device: str
    node_kind: str
    subject: str
    reference: str
    detail: str

    @property
    def identity(self) -> tuple[str, int]:
        """What makes it one record: its journal and its number there."""
        return self.epoch, self.sequence


@dataclass(frozen=True, slots=True)
class PromiseRow:
    """One promise and the newest verdict about it."""

    order: str
    node: str
    worker: str
    node_kind: str
    match: int
    opens_at_ms: int
    promised_at_ms: int
    tolerance_ms: int
    hard_ms: int
    early_bp_per_hour: int
    early_bp_max: int
    rate_fen: int
    verdict: int
    score_bp: int


@dataclass(frozen=True, slots=True)
class LineRow:
    """One line of a worker's statement."""

    order: str
    node: str
    kind: str
    worker: str
    status: str
    amount_fen: int
    transfer: int | None


@dataclass(frozen=True, slots=True)
class TransferRow:
    """One ledger transfer."""

    transfer: int
    kind: str
    debit: str
    credit: str
    amount_fen: int
    order: str


@dataclass(frozen=True, slots=True)
class AccountRow:
    """One account with the balance that the ledger keeps for it."""

    account: str
    kind: str
    debits_fen: int
    credits_fen: int


@dataclass(frozen=True, slots=True)
class Store:
    """What headquarters holds of one site.

    Attributes:
        blocks: encoded blocks by (epoch, first sequence).
        workers: names by id.
        covered_until_ms: had anything happened by then, headquarters would know.
    """

    records: list[RecordRow]
    promises: list[PromiseRow]
    lines: list[LineRow]
    transfers: list[TransferRow]
    accounts: list[AccountRow]
    blocks: dict[tuple[str, int], bytes]
    workers: dict[str, str] = field(default_factory=dict)
    covered_until_ms: int = 0


@dataclass(frozen=True, slots=True)
class JournalFile:
    """The box's journal as it lies on the card.

    Attributes:
        blocks: encoded blocks in order.
    """

    blocks: list[bytes]


def read_store(path: Path, site: str) -> Store:
    """Read headquarters' SQLite file."""
    with closing(_opened(path)) as db:
        return Store(
            [RecordRow(e.hex(), *rest) for e, *rest in _rows(db, _RECORDS, site)],
            [PromiseRow(*row) for row in _rows(db, _PROMISES, site)],
            [LineRow(*row) for row in _rows(db, _LINES, site)],
            [TransferRow(*row) for row in _rows(db, _TRANSFERS, site)],
            [AccountRow(*row) for row in _rows(db, _ACCOUNTS, site)],
            {(e.hex(), first): data for e, first, data in _rows(db, _BLOCKS, site)},
            dict(_rows(db, "SELECT worker, name FROM workers WHERE site = ?", site)),
            next(iter(_rows(db, "SELECT covered_until_ms FROM sites WHERE site = ?", site)))[0],
        )


def read_journal(path: Path) -> JournalFile:
    """Read the box's SQLite file."""
    with closing(_opened(path)) as db:
        return JournalFile([bytes(row[0]) for row in db.execute(_JOURNAL)])


def journaled_count(path: Path) -> int:
    """Count the records of a box's SQLite file."""
    with closing(_opened(path)) as db:
        return int(db.execute("SELECT coalesce(sum(count), 0) FROM blocks").fetchone()[0])


def stored_count(path: Path, site: str) -> int:
    """Count the records of a site in headquarters' SQLite file."""
    with closing(_opened(path)) as db:
        return int(db.execute("SELECT count(*) FROM records WHERE site = ?", (site,)).fetchone()[0])


def is_chained(blocks: list[bytes]) -> bool:
    """Verify a journal's chain by its bytes alone: every hash, and every previous hash.

    The header is <4s magic, 16s epoch, 16s boot, u64 first, u32 count, u32 raw, u32 packed,
    32s previous>; the hash is the last 32 bytes. A new epoch begins with 32 zero bytes and
    sequence 1.
    """
    heads: dict[bytes, tuple[bytes, int]] = {}
    for data in blocks:
        epoch, previous = data[4:20], data[56:88]
        first, count = int.from_bytes(data[36:44], "little"), int.from_bytes(data[44:48], "little")
        head, through = heads.get(epoch, (bytes(32), 0))
        if sha256(data[:-32]).digest() != data[-32:] or previous != head or first != through + 1:
            return False
        heads[epoch] = (data[-32:], first + count - 1)
    return True


def _opened(path: Path) -> Any:
    if not path.exists():
        raise FileNotFoundError(path)
    db = sqlite.connect(str(path), timeout=_BUSY_S)
    db.execute("PRAGMA query_only = ON")
    return db


def _rows(db: Any, query: str, site: str) -> Any:
    return db.execute(query, (site,))


_RECORDS = """
    SELECT epoch, sequence, wall_ms, bound_ms, mono_ns, clock_state, evidence, device, node_kind,
           subject, reference, detail
    FROM records WHERE site = ? ORDER BY box, epoch, sequence
"""
_PROMISES = """
    SELECT order_id, node, worker, node_kind, match, opens_at_ms, promised_at_ms, tolerance_ms,
           hard_ms, early_bp_per_hour, early_bp_max, rate_fen,
           coalesce(v.verdict, 0), coalesce(v.score_bp, 0)
    FROM promises p LEFT JOIN (
        SELECT company, site, order_id, node, verdict, score_bp, max(revision)
        FROM verdicts GROUP BY company, site, order_id, node
    ) v USING (company, site, order_id, node)
    WHERE site = ? AND NOT is_withdrawn ORDER BY order_id, position
"""
_LINES = """
    SELECT order_id, node, kind, worker, status, amount_fen, transfer FROM lines
    WHERE site = ? ORDER BY order_id, node, revision, kind
"""
_TRANSFERS = """
    SELECT transfer, kind, debit, credit, amount_fen, order_id FROM transfers
    WHERE site = ? ORDER BY transfer
"""
_ACCOUNTS = "SELECT account, kind, debits_fen, credits_fen FROM accounts WHERE site = ?"
_BLOCKS = "SELECT epoch, first, data FROM blocks WHERE site = ? ORDER BY epoch, first"
_JOURNAL = "SELECT bytes FROM blocks ORDER BY first_sequence"
