"""The command `duifu replay MAPPING.toml FILE`."""

import json
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Final

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from agreed.words import RemedyError, say
from cloud.folder import Folder, unusable
from cloud.replay.files import read_small
from cloud.replay.headquarters import store_at
from cloud.replay.mapping import read_mapping
from cloud.replay.replaying import Begin, Request, check_log, replay_log
from cloud.replay.summary import Summary, as_json, as_tables

EXIT_UNSOUND: Final = 1
"""The books do not balance, or a chain does not verify."""

MAPPING_BYTES_MAX: Final = 1 << 20
_STEPS_SHOWN: Final = 200

app = typer.Typer(add_completion=False)


@app.command(
    help=say(
        "Run a historical event log (CSV, also gzipped) through the same path as a box's records: "
        "record, verdict, commission, statement. The mapping names the columns and the promises; "
        "docs/replay.md explains every setting."
    )
)
def replay(  # noqa: PLR0913  # every option is an argument
    mapping: Annotated[
        Path, typer.Argument(metavar="MAPPING.toml", help=say("What the columns mean."))
    ],
    file: Annotated[Path, typer.Argument(metavar="FILE", help=say("The log: CSV or CSV.gz."))],
    *,
    data: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR", help=say("Keep the store in this folder; otherwise it is thrown away.")
        ),
    ] = None,
    database: Annotated[
        str | None, typer.Option(metavar="URL", help=say("Keep the store in this database."))
    ] = None,
    check: Annotated[
        bool, typer.Option("--check", help=say("Read and judge only; store nothing."))
    ] = False,
    as_json_text: Annotated[
        bool, typer.Option("--json", help=say("Print the figures as JSON."))
    ] = False,
    rejects: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help=say("List every row that could not be read, as CSV.")),
    ] = None,
    statements: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help=say("Write a statement per resource, as CSV.")),
    ] = None,
) -> None:
    """Read what is wanted, replay, print."""
    if data is not None and database is not None:
        raise RemedyError(say("Give --data or --database, not both."))
    if check and statements is not None:
        raise RemedyError(say("Give --check or --statements: what is not stored is not paid."))
    begun_ns = time.monotonic_ns()
    known = read_mapping(read_small(mapping, MAPPING_BYTES_MAX), mapping.name)
    request = Request(known, file, rejects, statements)
    with _progress() as begin:
        if check:
            summary = check_log(request, begin)
        else:
            with _store(data, database) as (url, path), store_at(url, path) as engine:
                summary = replay_log(request, engine, _now_ms, begin)
    duration_ms = (time.monotonic_ns() - begun_ns) // 1_000_000
    _print(replace(summary, duration_ms=duration_ms), as_text=as_json_text)
    books = summary.books
    if books is not None and not (books.is_balanced and books.is_chain_verified):
        raise typer.Exit(EXIT_UNSOUND)


@contextmanager
def _store(data: Path | None, database: str | None) -> Iterator[tuple[str, Path]]:
    if database is not None:
        yield database, Path(database)
    elif data is not None:
        try:
            data.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise unusable(data, error) from None
        yield Folder(data).default_database, data
    else:
        with TemporaryDirectory(prefix="duifu-replay-") as folder:
            yield Folder(Path(folder)).default_database, Path(folder)


def _print(summary: Summary, *, as_text: bool) -> None:
    if as_text:
        sys.stdout.write(json.dumps(as_json(summary), ensure_ascii=False, indent=2) + "\n")
    else:
        Console().print(as_tables(summary))


@contextmanager
def _progress() -> Iterator[Begin]:
    columns = TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn()
    console = Console(stderr=True)
    with Progress(
        *columns, console=console, transient=True, disable=not console.is_terminal
    ) as progress:

        def begin(name: str, size: int) -> Callable[[int], None]:
            task = progress.add_task(name, total=size or None)
            step, shown = size // _STEPS_SHOWN, 0

            def told(done: int) -> None:
                nonlocal shown
                if done - shown > step or done == size:
                    shown = done
                    progress.update(task, completed=done)

            return told

        yield begin


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


if __name__ == "__main__":
    app()
