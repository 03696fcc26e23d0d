import gzip
import os
from pathlib import Path

import pytest

from agreed.words import RemedyError
from cloud.replay.files import inspect_log, read_lines, read_small
from cloud.replay.rows import LINE_BYTES_MAX

TEXT = b"case,step\n1,a\n2,b"


def nothing(_: int) -> None:
    pass


def test_the_same_log_is_the_same_gzipped_or_not_whatever_its_name(tmp_path: Path) -> None:
    (tmp_path / "plain.csv").write_bytes(TEXT)
    (tmp_path / "packed.csv.gz").write_bytes(gzip.compress(TEXT))
    (tmp_path / "renamed.csv").write_bytes(gzip.compress(TEXT))
    logs = [inspect_log(path, nothing) for path in sorted(tmp_path.iterdir())]
    assert len({log.digest for log in logs}) == 1
    assert {log.size_bytes for log in logs} == {len(TEXT)}
    assert [b"".join(line.data for line in read_lines(log)) for log in logs] == [TEXT] * 3


def test_lines_are_numbered_and_bounded(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    longest = b"x" * (LINE_BYTES_MAX - 1) + b"\n"
    path.write_bytes(b"a\n" + longest + b"y" * (3 * LINE_BYTES_MAX) + b"\nb\n" + b"z" * 10**6)
    found = list(read_lines(inspect_log(path, nothing)))
    assert [(line.number, line.is_cut) for line in found] == [
        (1, False),
        (2, False),
        (3, True),
        (4, False),
        (5, True),
    ]
    assert sum(line.size_bytes for line in found) == path.stat().st_size
    assert [line.data for line in found if line.is_cut] == [b"", b""]


def test_progress_is_told(tmp_path: Path) -> None:
    (tmp_path / "log.csv").write_bytes(TEXT)
    told: list[int] = []
    inspect_log(tmp_path / "log.csv", told.append)
    assert told == [len(TEXT)]


@pytest.mark.parametrize(
    ("name", "data", "why"),
    [
        ("empty.csv", b"", "is empty"),
        ("empty.csv.gz", gzip.compress(b"", mtime=0), "is empty"),
        ("cut.csv.gz", gzip.compress(TEXT * 99, mtime=0)[:-9], "damaged or unfinished gzip"),
        ("garbled.csv.gz", b"\x1f\x8b" + b"rubbish" * 9, "damaged or unfinished gzip"),
        ("sum.csv.gz", gzip.compress(TEXT, mtime=0)[:-8] + bytes(8), "damaged or unfinished gzip"),
        ("book.csv", b"PK\x03\x04rest", "ZIP or Excel"),
    ],
)
def test_a_broken_log_names_the_remedy(tmp_path: Path, name: str, data: bytes, why: str) -> None:
    (tmp_path / name).write_bytes(data)
    with pytest.raises(RemedyError, match=f"{name}.*{why}"):
        inspect_log(tmp_path / name, nothing)


def test_an_absent_log_and_a_folder_name_the_remedy(tmp_path: Path) -> None:
    with pytest.raises(RemedyError, match="does not exist"):
        inspect_log(tmp_path / "absent.csv", nothing)
    with pytest.raises(RemedyError, match="is a folder"):
        inspect_log(tmp_path, nothing)
    with pytest.raises(RemedyError, match="cannot be read"):
        inspect_log(tmp_path / ("x" * 300), nothing)


def test_a_pipe_names_the_remedy(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "pipe", Path("/dev/null")):
        with pytest.raises(RemedyError, match="no ordinary file"):
            inspect_log(path, nothing)


def test_a_mapping_is_a_small_file(tmp_path: Path) -> None:
    (tmp_path / "m.toml").write_bytes(b"12345")
    assert read_small(tmp_path / "m.toml", 5) == b"12345"
    with pytest.raises(RemedyError, match="too large"):
        read_small(tmp_path / "m.toml", 4)
    with pytest.raises(RemedyError, match="is a folder"):
        read_small(tmp_path, 4)
