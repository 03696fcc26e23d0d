"""Holds what a box said of its records against the journal that is left on the card."""

import shutil
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pysqlite3.dbapi2 as sqlite

from agreed.records import GAP, to_records
from agreed.wire import decode_block
from edge.journal import FILE
from simulators.evidence import is_chained, read_journal

SHOWN_MAX: Final = 5
_REFUSED: Final = "refused "


@dataclass(slots=True)
class Offer:
    """What was handed in together, and what was said of it.

    Attributes:
        names: of the records, in order.
        is_taken: None while nothing was said.
    """

    names: list[str]
    is_taken: bool | None = None


@dataclass(frozen=True, slots=True)
class Found:
    """What a journal holds.

    Attributes:
        names: of the records, in order.
        gaps: sequence and count of what each gap record tells was refused.
        kept: what was kept with the last of them; None for nothing.
        is_chained: whether every block follows from the one before.
    """

    names: list[str]
    gaps: list[tuple[int, int]]
    kept: str | None
    is_chained: bool


def look(card: Path, copy: Path) -> Found:
    """Read a copy of a card, so that the card stays as it is; `copy` is made and cleared away."""
    shutil.copytree(card, copy)
    try:
        path = copy / FILE
        if not path.exists() or not _has_blocks(path):
            return Found([], [], None, is_chained=True)
        blocks = read_journal(path).blocks
        records = [one for data in blocks for one in to_records(decode_block(data).columns)]
        with closing(sqlite.connect(str(path))) as db:
            row = db.execute("SELECT value FROM kept WHERE name = 'last'").fetchone()
    finally:
        shutil.rmtree(copy)
    return Found(
        [record.detail for record in records if record.node_kind != GAP],
        [
            (record.sequence, int(record.detail.rpartition(" ")[2]))
            for record in records
            if record.node_kind == GAP and record.detail.startswith(_REFUSED)
        ],
        row[0].partition("\x1f")[0] if row else None,  # the text, then a mark and its seal
        not blocks or is_chained(blocks),
    )


def judge_found(found: Found, offers: list[Offer]) -> list[str]:
    """Say what is wrong with a journal, one sentence for each broken rule."""
    held = set(found.names)
    names = [name for offer in offers for name in offer.names]
    broken = [
        (sentence, wrong)
        for sentence, wrong in (
            ("said to be taken, and gone", _of(offers, held, is_taken=True)),
            ("said to be refused, and there", _of(offers, held, is_taken=False)),
            ("taken in part only", [o.names[0] for o in offers if _is_torn(o, held)]),
            ("never offered", sorted(held.difference(names))),
        )
        if wrong
    ]
    said = [f"{sentence}: {wrong[:SHOWN_MAX]}" for sentence, wrong in broken]
    if found.names != [name for name in names if name in held]:
        said.append("records are there twice, or not in the order in which they were offered")
    if found.kept != (found.names[-1] if found.names else None):
        said.append(f"what is kept is of {found.kept}, the last record is another")
    if not found.is_chained:
        said.append("the chain is broken")
    return said


def judge_refused(found: Found, after: int, refused: int, *, is_whole: bool) -> list[str]:
    """Hold the gap records of one life against what it refused.

    Args:
        found: the journal after it.
        after: the last sequence before it.
        refused: records that it refused.
        is_whole: it ended in order, so that everything refused must be told of.
    """
    told = sum(count for sequence, count in found.gaps if sequence > after)
    is_right = told == refused if is_whole else told <= refused
    return [] if is_right else [f"gap records tell of {told} refused records, there were {refused}"]


def _has_blocks(path: Path) -> bool:
    with closing(sqlite.connect(str(path))) as db:
        return bool(db.execute("SELECT 1 FROM sqlite_master WHERE name = 'blocks'").fetchone())


def _of(offers: list[Offer], held: set[str], *, is_taken: bool) -> list[str]:
    """Name the records of which something was said that is not so."""
    return [
        name
        for offer in offers
        if offer.is_taken is is_taken
        for name in offer.names
        if (name in held) is not is_taken
    ]


def _is_torn(offer: Offer, held: set[str]) -> bool:
    return len({name in held for name in offer.names}) > 1
