"""What the box keeps is opened, set aside when damaged, and refused in one sentence."""

import os
from pathlib import Path

import apsw
import pytest

from agreed.records import GAP, to_records
from agreed.words import RemedyError
from edge.config import BoxSettings, read_settings
from edge.opening import check_keys, check_ports, only_one, open_all
from tests.edge.stand_in import box_toml
from tests.edge.test_journal import entries


def settings(tmp_path: Path) -> BoxSettings:
    made = read_settings(box_toml(tmp_path, "mqtt://127.0.0.1:1", ("/none/a", "/b", "/c")))
    made.data.mkdir(exist_ok=True)
    return made


def test_everything_is_made_once_and_found_again(tmp_path: Path) -> None:
    opened = open_all(settings(tmp_path))
    opened.journal.append(entries(2), {"a": "1"})
    opened.journal.close()
    opened.learned.close()
    again = open_all(settings(tmp_path))
    assert again.journal.end.through == 2
    assert (tmp_path / "data" / "reserve").stat().st_size == 1024 * 1024


def test_a_damaged_journal_is_set_aside_and_said_in_the_new_one(tmp_path: Path) -> None:
    opened = open_all(settings(tmp_path))
    opened.journal.append(entries(2), {"a": "1"})
    epoch = opened.journal.origin.epoch
    opened.journal.close()
    opened.learned.close()
    store = apsw.Connection(str(tmp_path / "data" / "journal.db"))
    store.execute("UPDATE blocks SET bytes = zeroblob(100)")
    store.close()
    again = open_all(settings(tmp_path)).journal
    assert again.origin.epoch != epoch
    assert again.kept == {"a": "1"}
    (record,) = to_records(again.recent_columns(9)[0])
    assert (record.node_kind, record.detail) == (GAP, "journal_damaged journal-damaged-1.db")
    assert (tmp_path / "data" / "journal-damaged-1.db").exists()


def test_files_that_are_no_stores_are_set_aside(tmp_path: Path) -> None:
    made = settings(tmp_path)
    for name in ("journal.db", "learned.db"):
        (made.data / name).write_bytes(b"rubbish that is long enough" * 1_000)
    opened = open_all(made)
    assert opened.journal.end.through == 2
    assert opened.learned.applied_through == 0
    assert {p.name for p in made.data.glob("*damaged*.db")} == {
        "journal-damaged-1.db",
        "learned-damaged-1.db",
    }


def test_files_whose_head_says_that_they_may_not_be_written_are_set_aside(tmp_path: Path) -> None:
    made = settings(tmp_path)
    opened = open_all(made)
    opened.journal.append(entries(2), {"a": "1"})
    opened.journal.close()
    opened.learned.close()
    for name in ("journal.db", "learned.db"):
        with (made.data / name).open("r+b") as file:
            file.seek(18)  # the write version
            file.write(b"\x82")
    again = open_all(made)
    assert again.journal.kept == {"a": "1"}
    assert {p.name for p in made.data.glob("*damaged*.db")} == {
        "journal-damaged-1.db",
        "learned-damaged-1.db",
    }


def test_a_journal_whose_epoch_became_a_number_is_set_aside(tmp_path: Path) -> None:
    made = settings(tmp_path)
    opened = open_all(made)
    opened.journal.close()
    opened.learned.close()
    store = apsw.Connection(str(made.data / "journal.db"))
    store.execute("UPDATE state SET value = 1.5 WHERE name = 'epoch'")
    store.close()
    assert open_all(made).journal.end.through > 0
    assert (made.data / "journal-damaged-1.db").exists()


def test_a_journal_that_only_writing_finds_damaged_is_set_aside(tmp_path: Path) -> None:
    made = settings(tmp_path)
    opened = open_all(made)
    opened.journal.append(entries(2), {"a": "1"})
    opened.journal.close()
    opened.learned.close()
    path = made.data / "journal.db"
    store = apsw.Connection(str(path))
    store.execute("UPDATE kept SET value = 'other'")  # the next start says so: it writes
    root = store.execute("SELECT rootpage FROM sqlite_schema WHERE name = 'blocks'").get
    size = store.execute("PRAGMA page_size").get
    assert isinstance(root, int)
    assert isinstance(size, int)
    store.close()
    with path.open("r+b") as file:
        file.seek((root - 1) * size + 1)  # where the page's free room begins
        file.write(b"\xff\xff")
    again = open_all(made).journal
    assert (made.data / "journal-damaged-1.db").exists()
    details = [r.detail for columns in again.recent_columns(9) for r in to_records(columns)]
    assert "journal_damaged journal-damaged-1.db" in details


def test_the_data_of_another_box_is_refused(tmp_path: Path) -> None:
    open_all(settings(tmp_path)).journal.close()
    other = settings(tmp_path).model_copy(update={"box": "west-gate"})
    with pytest.raises(RemedyError, match="greentown/lakeside/east-gate"):
        open_all(other)


def test_two_boxes_never_share_a_folder(tmp_path: Path) -> None:
    with (
        only_one(tmp_path / "data"),
        pytest.raises(RemedyError, match="data"),
        only_one(tmp_path / "data"),
    ):
        pass
    with only_one(tmp_path / "data"):
        pass


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_that_may_not_be_written_is_named(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(RemedyError, match="data"), only_one(tmp_path / "data"):
        pass


def test_a_file_in_place_of_the_folder_is_named(tmp_path: Path) -> None:
    (tmp_path / "data").touch()
    with pytest.raises(RemedyError, match="data"), only_one(tmp_path / "data"):
        pass


def test_missing_ports_and_keys_are_named(tmp_path: Path) -> None:
    with pytest.raises(RemedyError, match=r"/none/a.*gate"):
        check_ports(settings(tmp_path))
    check_keys(settings(tmp_path))
    path = tmp_path / "box.toml"
    path.write_text(path.read_text().replace("key = ", "key_file = "))
    with pytest.raises(RemedyError, match="gate"):
        check_keys(read_settings(path))
