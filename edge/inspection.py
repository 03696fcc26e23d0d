"""For a technician: what the journal holds, on a running box or in a copied file."""

import csv
import json
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, Final, TextIO

import apsw
import typer

from agreed.records import Record, to_records
from agreed.wire import Block
from agreed.words import RemedyError, say, say_count
from edge.config import read_settings
from edge.journal import FILE, Place, checked_chain, read_epoch, read_rows, read_start, read_state
from edge.store import StoreDamagedError, StoreError, open_for_reading
from edge.wreck import Wreck

SHOWN_COUNT: Final = 20
COLUMNS: Final = (
    "sequence",
    "time",
    "bound_ms",
    "clock_state",
    "evidence",
    "device",
    "node_kind",
    "subject",
    "reference",
    "detail",
    "mono_ns",
    "wall_ms",
    "boot",
)

app = typer.Typer(no_args_is_help=True, help=say("Look into the journal; nothing is changed."))

Config = Annotated[
    Path,
    typer.Option("--config", "-c", envvar="DUIFU_CONFIG", help=say("the settings file")),
]
File = Annotated[
    Path | None, typer.Option("--file", "-f", help=say("a journal, or a copy of one, instead"))
]
AsJson = Annotated[bool, typer.Option("--json", help=say("answer in JSON"))]
BOX_TOML = Path("box.toml")


@dataclass(frozen=True, slots=True)
class _Opened:
    path: Path
    store: apsw.Connection


@app.command(help=say("Show the last records."))
def show(
    config: Config = BOX_TOML,
    file: File = None,
    count: Annotated[
        int, typer.Option("--count", "-n", min=1, max=100_000, help=say("how many records"))
    ] = SHOWN_COUNT,
    as_json: AsJson = False,
) -> None:
    """Show the last records, oldest first."""
    with _journal(config, file) as journal:
        rows = list(read_rows(journal.store, "ORDER BY first_sequence DESC LIMIT ?", (count,)))
        blocks = list(checked_chain(reversed(rows), None))
    records = [row for block in blocks for row in _rows(block)][-count:]
    if as_json:
        for record in records:
            _print(json.dumps(record, ensure_ascii=False))
        return
    for record in records:
        _print(_line(record))
    _say(say("Next: duifu edge journal verify {options}", options=_options(config, file)))


@app.command(help=say("Check every block and the whole chain."))
def verify(config: Config = BOX_TOML, file: File = None, as_json: AsJson = False) -> None:
    """Check every block and the whole chain."""
    with _journal(config, file) as journal:
        place = start = read_start(journal.store)
        blocks_count = 0
        for block in checked_chain(read_rows(journal.store), start):
            place = Place(block.columns.last_sequence, block.hash)
            blocks_count += 1
        epoch = read_epoch(journal.store).hex()
    if as_json:
        answer = {"epoch": epoch, "records": place.through - start.through, "is_whole": True}
        answer |= {"blocks": blocks_count, "through": place.through, "head": place.head.hex()}
        answer["are_signatures_checked"] = False  # there are none in a journal
        _print(json.dumps(answer))
        return
    _print(
        say_count(
            "{count} record in {blocks} blocks: the chain is whole. Head {head}",
            "{count} records in {blocks} blocks: the chain is whole. Head {head}",
            place.through - start.through,
            blocks=blocks_count,
            head=place.head.hex(),
        )
    )
    _say(
        say(
            "Signatures were not checked: a box signs the head when it sends, and headquarters "
            "keeps the signatures; “duifu cloud ledger check” there checks each."
        )
    )
    _say(
        say(
            "Next: duifu edge journal export --to records.csv {options}",
            options=_options(config, file),
        )
    )


@app.command(help=say("Write all records as CSV or, with --json, as JSON lines."))
def export(
    config: Config = BOX_TOML,
    file: File = None,
    to: Annotated[
        Path | None, typer.Option("--to", help=say("a file; standard output if left out"))
    ] = None,
    as_json: AsJson = False,
    readable: Annotated[
        bool, typer.Option("--readable", help=say("whatever can be read of a damaged journal"))
    ] = False,
) -> None:
    """Write all records."""
    with _readable(config, file) if readable else _whole(config, file) as blocks:
        records = (row for block in blocks for row in _rows(block))
        if to is None:
            _write(sys.stdout, records, as_json=as_json)
            return
        try:
            with to.open("w", encoding="utf-8", newline="") as target:
                count = _write(target, records, as_json=as_json)
        except OSError as error:
            raise RemedyError(
                say(
                    "{path} cannot be written ({why}); choose another file.",
                    path=to,
                    why=error.strerror,
                )
            ) from None
    _say(
        say_count(
            "{count} record written to {path}.",
            "{count} records written to {path}.",
            count,
            path=to,
        )
    )


@contextmanager
def _whole(config: Path, file: Path | None) -> Iterator[Iterator[Block]]:
    with _journal(config, file) as journal:
        yield checked_chain(read_rows(journal.store), read_start(journal.store))


@contextmanager
def _readable(config: Path, file: Path | None) -> Iterator[Iterator[Block]]:
    """Read blocks wherever they stand; a hole shows only in the numbers."""
    path = file or read_settings(config).data / FILE
    try:
        with closing(Wreck(path)) as wreck:
            if not len(wreck):
                raise RemedyError(
                    say("nothing can be read of journal {path}; check the path.", path=path)
                )
            yield wreck.blocks_after(0)
    except OSError as error:
        raise RemedyError(
            say(
                "journal {path} cannot be read ({why}); check the path.",
                path=path,
                why=error.strerror,
            )
        ) from None


@app.command(help=say("Count records, blocks and bytes."))
def stats(config: Config = BOX_TOML, file: File = None, as_json: AsJson = False) -> None:
    """Count what there is."""
    with _journal(config, file) as journal:
        answer = _count(journal.store)
    if as_json:
        _print(json.dumps(answer, ensure_ascii=False))
        return
    _print(say("{records} records in {blocks} blocks, {block_bytes} bytes", **answer))
    _print(say("from {first} to {last}", **answer))
    _print(say("at headquarters, as last written: through record {committed_through}", **answer))
    for kind, count in answer["node_kinds"].items():
        _print(f"{count:>10}  {kind}")
    _say(say("Next: duifu edge journal verify {options}", options=_options(config, file)))


def _count(store: apsw.Connection) -> dict[str, Any]:
    kinds: Counter[str] = Counter()
    ends: list[Record] = []
    blocks_count = bytes_count = 0
    for row in read_rows(store):
        (block,) = checked_chain(iter([row]), None)
        blocks_count += 1
        bytes_count += len(row.data)
        records = to_records(block.columns)
        kinds.update(record.node_kind for record in records)
        ends = [ends[0] if ends else records[0], records[-1]]
    return {
        "records": ends[-1].sequence - ends[0].sequence + 1 if ends else 0,
        "first_sequence": ends[0].sequence if ends else 0,
        "last_sequence": ends[-1].sequence if ends else 0,
        "blocks": blocks_count,
        "block_bytes": bytes_count,
        "committed_through": read_state(store, "committed_through") or 0,
        "first": _time(ends[0].wall_ms) if ends else "",
        "last": _time(ends[-1].wall_ms) if ends else "",
        "node_kinds": dict(kinds.most_common()),
    }


def _options(config: Path, file: Path | None) -> str:
    return f"--file {file}" if file is not None else f"--config {config}"


@contextmanager
def _journal(config: Path, file: Path | None) -> Iterator[_Opened]:
    path = file or read_settings(config).data / FILE
    try:
        store = open_for_reading(path)
        try:
            yield _Opened(path, store)
        finally:
            store.close()
    except StoreDamagedError as error:
        raise RemedyError(
            say(
                "journal {path} is damaged from record {sequence} on; keep the file as it is: "
                "what comes before, and what headquarters has confirmed, is safe. "
                "“duifu edge journal export --readable” writes whatever can be read.",
                path=path,
                sequence=error.sequence or 1,
            )
        ) from None
    except StoreError as error:
        raise RemedyError(
            say("journal {path} cannot be read ({why}); check the path.", path=path, why=error)
        ) from None


def _rows(block: Block) -> Iterator[dict[str, Any]]:
    for record in to_records(block.columns):
        texts = (record.device, record.node_kind, record.subject, record.reference, record.detail)
        values = (
            record.sequence,
            _time(record.wall_ms),
            record.bound_ms,
            record.clock_state.name.lower(),
            record.evidence.name.lower(),
            *texts,
            record.mono_ns,
            record.wall_ms,
            block.origin.boot.hex(),
        )
        yield dict(zip(COLUMNS, values, strict=True))


def _line(row: dict[str, Any]) -> str:
    doubt = "?" if row["clock_state"] == "unset" else f"±{row['bound_ms']} ms"
    who = " ".join(row[name] for name in ("subject", "reference", "detail") if row[name])
    device = row["device"] or "-"
    place = f"{row['sequence']:>8}  {row['time']} {doubt:<10}"
    return f"{place} {device:<12} {row['node_kind']:<20} {who}".rstrip()


def _write(target: TextIO, rows: Iterator[dict[str, Any]], *, as_json: bool) -> int:
    count = 0
    if as_json:
        for count, row in enumerate(rows, 1):  # noqa: B007 - the last one is the answer
            target.write(json.dumps(row, ensure_ascii=False) + "\n")
        return count
    table = csv.DictWriter(target, COLUMNS)
    table.writeheader()
    for count, row in enumerate(rows, 1):  # noqa: B007 - the last one is the answer
        table.writerow(row)
    return count


def _time(wall_ms: int) -> str:
    moment = datetime.fromtimestamp(wall_ms / 1_000, UTC).astimezone()
    return moment.isoformat(sep=" ", timespec="milliseconds")


def _print(text: str) -> None:
    sys.stdout.write(text + "\n")


def _say(text: str) -> None:
    """Speak to whoever sits at the keyboard, apart from the data."""
    sys.stderr.write(text + "\n")
