"""The demonstration's folder: fresh, ours alone, and never somebody else's."""

import os
import socket
from pathlib import Path

import pytest

from agreed.words import RemedyError, language
from simulators.folder import MARK, chosen_port, fresh_folder


@pytest.fixture(autouse=True)
def english() -> None:
    language.set("en")


def used(folder: Path, *, is_kept: bool = False) -> list[str]:
    with fresh_folder(folder, is_kept=is_kept):
        found = sorted(path.name for path in folder.iterdir())
        (folder / "left").write_text("x")
    return found


def test_a_folder_is_fresh_each_time(tmp_path: Path) -> None:
    folder = tmp_path / "var" / "demo"
    assert used(folder) == [MARK]
    assert used(folder) == [MARK]
    assert (folder / "left").exists()


def test_the_last_one_is_put_aside_on_request(tmp_path: Path) -> None:
    folder = tmp_path / "demo"
    for _ in range(3):
        used(folder, is_kept=True)
    assert (tmp_path / "demo-1" / "left").exists()
    assert (tmp_path / "demo-2" / "left").exists()


def test_what_is_not_ours_is_not_removed(tmp_path: Path) -> None:
    precious = tmp_path / "precious"
    precious.mkdir()
    (precious / "photo").write_text("x")
    link = tmp_path / "link"
    link.symlink_to(precious)
    for folder in (precious, link, precious / "photo"):
        with pytest.raises(RemedyError, match="is not of a demonstration"):
            used(folder)
    assert (precious / "photo").read_text() == "x"


def test_two_demonstrations_do_not_share_a_folder(tmp_path: Path) -> None:
    folder = tmp_path / "demo"
    with fresh_folder(folder, is_kept=False):
        (folder / "mine").touch()
        with pytest.raises(RemedyError, match="another demonstration"):
            used(folder)
        assert (folder / "mine").exists()


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "var").write_text("a file")
    with pytest.raises(RemedyError, match=r"var.* cannot be written"):
        used(tmp_path / "var" / "demo")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_without_rights_is_named(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(RemedyError, match="cannot be written"):
        used(tmp_path / "demo")


def test_a_port_in_use_is_refused_when_asked_for_and_passed_over_when_not() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(RemedyError, match=f"port {port} is in use"):
            chosen_port(port, 1)
        other = chosen_port(None, port)
        assert other != port
        assert chosen_port(other, port) == other
    assert chosen_port(None, port) == port
