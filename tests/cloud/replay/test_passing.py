from pathlib import Path

from cloud.replay.events import Event
from cloud.replay.files import inspect_log
from cloud.replay.passing import pass_over
from cloud.replay.reading import read_events
from cloud.replay.rejects import Rejects
from tests.cloud.replay.logs import LOG, UNREADABLE, mapping, nothing


def test_every_row_is_taken_or_rejected(tmp_path: Path) -> None:
    (tmp_path / "log.csv").write_text(LOG)
    taken: list[Event] = []
    rows = read_events(inspect_log(tmp_path / "log.csv", nothing), mapping(), nothing)
    with Rejects(None) as rejects:
        passed = pass_over(rows, mapping(), rejects, taken.append)
    assert [event.line for event in taken] == [2, 3, 4, 5, 6, 8, 9, 12, 15]
    assert (passed.rows_read, len(passed.cases)) == (9, 6)
    assert rejects.count == len(UNREADABLE)
