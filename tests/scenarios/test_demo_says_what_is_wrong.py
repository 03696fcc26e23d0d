"""`duifu demo` names what is wrong and the remedy, and leaves nothing running behind."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.edge.stand_in import free_port

pytestmark = pytest.mark.scenario

REMEDY = 2


def demo(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "duifu", "--lang", "en", "demo", *arguments],
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": str(Path.cwd()), "NO_COLOR": "1"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def refused(result: subprocess.CompletedProcess[str]) -> str:
    assert result.returncode == REMEDY, result.stderr
    assert "Traceback" not in result.stderr
    assert result.stdout == ""
    return result.stderr


def test_a_port_in_use(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        said = refused(demo("--once", "--port", port, cwd=tmp_path))
    assert f"port {port} is in use" in said
    assert "--port" in said


def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "var").write_text("a file, not a folder")
    said = refused(demo("--once", cwd=tmp_path))
    assert re.search(r"var.* cannot be written", said)
    assert "--data" in said


def test_a_folder_that_is_not_ours(tmp_path: Path) -> None:
    (tmp_path / "photos").mkdir()
    said = refused(demo("--once", "--data", "photos", cwd=tmp_path))
    assert "photos is not of a demonstration" in said


def test_a_number_that_is_none(tmp_path: Path) -> None:
    result = demo("--seed", "tomorrow", cwd=tmp_path)
    assert result.returncode == REMEDY
    assert "--seed" in result.stderr
    assert "Traceback" not in result.stderr


def ours(folder: Path) -> list[str]:
    """Command lines of living processes that work in a folder."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            line = path.read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue
        if str(folder) in line:
            found.append(line)
    return found


@pytest.mark.broker
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=lambda n: n.name)
def test_nothing_is_left_behind_when_it_is_ended(tmp_path: Path, number: signal.Signals) -> None:
    folder = tmp_path / "demo"
    process = subprocess.Popen(
        [sys.executable, "-m", "duifu", "demo", "--data", str(folder), "--port", str(free_port())],
        env={**os.environ, "NO_COLOR": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    try:
        journal = folder / "box" / "data" / "journal.db"
        until = time.monotonic() + 150
        while not journal.exists() and time.monotonic() < until and process.poll() is None:
            time.sleep(0.1)
        assert len(ours(folder)) >= 4  # the demonstration, headquarters, the broker, the box
        process.send_signal(number)
        said, _ = process.communicate(timeout=100)
    finally:
        process.kill()
    until = time.monotonic() + 20  # what is killed is gone a moment later
    while ours(folder) and time.monotonic() < until:
        time.sleep(0.1)
    assert ours(folder) == []
    assert process.returncode == REMEDY
    assert "Traceback" not in said
