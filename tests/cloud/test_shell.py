"""What is refused becomes a sentence; a name is a name."""

from pathlib import Path

import pytest

from agreed.words import RemedyError, language
from cloud.database.engine import sqlite_url
from cloud.folder import Folder, Kept
from cloud.office.refusals import ConflictError
from cloud.shell import checked, opened


def test_a_refusal_becomes_a_sentence(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    folder.prepare().close()
    url = sqlite_url(tmp_path / "store.db")
    folder.keep(Kept(database=url, company="acme", mqtt_url="mqtt://h"))
    with opened(tmp_path) as house:
        assert house.company == "acme"
        assert house.box("north/gate").box == "gate"
    with pytest.raises(RemedyError, match="no"), opened(tmp_path):
        raise ConflictError("x", "no")


def test_a_box_is_written_with_its_site(tmp_path: Path) -> None:
    language.set("en")
    folder = Folder(tmp_path)
    folder.prepare().close()
    url = sqlite_url(tmp_path / "store.db")
    folder.keep(Kept(database=url, company="acme", mqtt_url="mqtt://h"))
    with opened(tmp_path) as house, pytest.raises(RemedyError, match="SITE/BOX"):
        house.box("gate")


def test_names_are_checked() -> None:
    language.set("en")
    assert checked("--site", "north") == "north"
    with pytest.raises(RemedyError, match="--site: No is no name"):
        checked("--site", "No")
