import gzip
from pathlib import Path

import pytest

from agreed.words import RemedyError
from cloud.replay.events import Event
from cloud.replay.files import inspect_log
from cloud.replay.judging import Counts, count
from cloud.replay.mapping import read_mapping
from cloud.replay.reading import read_events
from tests.cloud.replay.logs import (
    LOG,
    RECEIPT,
    RECEIPT_MAPPING,
    UNREADABLE,
    mapping,
    nothing,
    read,
)


def test_every_trap_is_named_by_its_line_and_the_rest_goes_on(tmp_path: Path) -> None:
    (tmp_path / "log.csv").write_text(LOG)
    events, unreadable, cases = read(tmp_path / "log.csv", mapping())
    assert {row.line: row.reason for row in unreadable} == UNREADABLE
    assert [event.line for event in events] == [2, 3, 4, 5, 6, 8, 9, 12, 15]
    assert len(cases) == 6


def test_what_the_traps_come_to(tmp_path: Path) -> None:
    (tmp_path / "log.csv").write_text(LOG)
    how = mapping()
    _, _, cases = read(tmp_path / "log.csv", how)
    assert count(cases.promises(), how.promise, 0) == {
        "closed": Counts(kept=1, late=2, open=2, not_promised=1),
        "arrived": Counts(kept=2, open=3, not_promised=1),
        "last-step": Counts(kept=1, late=1, open=3, not_promised=1),
    }


@pytest.mark.parametrize("is_packed", [False, True])
def test_the_receipt_log_gives_the_known_figures(tmp_path: Path, *, is_packed: bool) -> None:
    if not RECEIPT.exists():
        pytest.skip(f"the log {RECEIPT} is not beside the checkout")
    path = RECEIPT
    if is_packed:
        path = tmp_path / "receipt.csv.gz"
        path.write_bytes(gzip.compress(RECEIPT.read_bytes(), 1))
    how = read_mapping(RECEIPT_MAPPING.read_bytes(), "receipt.toml")
    events, unreadable, cases = read(path, how)
    assert (len(events), unreadable, len(cases)) == (8577, [], 1434)
    assert count(cases.promises(), how.promise, 0) == {
        "planned-end": Counts(kept=940, late=389, open=105),
        "legal-deadline": Counts(kept=952, late=377, open=105),
        "last-step-planned": Counts(kept=1343, late=91),
        "last-step-legal": Counts(kept=1342, late=92),
    }


def test_the_header_is_read_at_once(tmp_path: Path) -> None:
    (tmp_path / "log.csv").write_text("a,b\n1,2\n")
    with pytest.raises(RemedyError, match="no column order"):
        read_events(inspect_log(tmp_path / "log.csv", nothing), mapping(), nothing)


@pytest.mark.parametrize(
    ("text", "why"), [("\n\n", "header line is blank"), ('"a\n', "header line opens a quote")]
)
def test_a_log_without_a_header_names_the_remedy(tmp_path: Path, text: str, why: str) -> None:
    (tmp_path / "log.csv").write_text(text)
    with pytest.raises(RemedyError, match=why):
        read_events(inspect_log(tmp_path / "log.csv", nothing), mapping(), nothing)


def test_progress_reaches_the_end(tmp_path: Path) -> None:
    (tmp_path / "log.csv").write_text(LOG)
    told: list[int] = []
    rows = list(read_events(inspect_log(tmp_path / "log.csv", nothing), mapping(), told.append))
    assert told[-1] == len(LOG.encode())
    assert any(isinstance(row, Event) for row in rows)
