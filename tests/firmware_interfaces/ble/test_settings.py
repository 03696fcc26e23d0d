from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from firmware_interfaces.ble.settings import BleLine, EphemeralBadge
from firmware_interfaces.errors import KeyFileError

KEY = "0102030405060708090a111213141516"


def line(**radio: Any) -> BleLine:
    table = {"family": "ble", "port": "ble://hci0", "devices": [{"name": "lobby"} | radio]}
    return BleLine.model_validate(table)


def test_a_radio_needs_only_a_name() -> None:
    (radio,) = line().devices
    assert radio.far_dbm < radio.near_dbm
    assert not radio.badges


def test_a_key_comes_from_the_table_or_a_file(tmp_path: Path) -> None:
    file = tmp_path / "key"
    file.write_text(KEY + "\n")
    (radio,) = line(
        badges=[
            {"name": "a", "key": KEY, "began_s": 0},
            {"name": "b", "key_file": file, "began_s": 0},
        ]
    ).devices
    assert [badge.read_key().hex() for badge in radio.badges] == [KEY, KEY]
    assert KEY not in repr(radio)


@pytest.mark.parametrize("text", ["", "nonsense", "zz" * 16])
def test_a_file_without_a_key_is_named(tmp_path: Path, text: str) -> None:
    (tmp_path / "key").write_text(text)
    badge = EphemeralBadge(name="a", key_file=tmp_path / "key", began_s=0)
    with pytest.raises(KeyFileError, match="badge a"):
        badge.read_key()


@pytest.mark.parametrize(
    ("radio", "message"),
    [
        ({"away_s": 14}, "three times scan_s"),
        ({"near_dbm": -80, "far_dbm": -80}, "far_dbm must be less"),
        ({"prefixes": ["anything"]}, "pattern"),
        ({"badges": [{"name": "a", "began_s": 0}]}, "exactly one of key and key_file"),
        ({"badges": [{"name": "a", "key": "12", "began_s": 0}]}, "32 hexadecimal"),
        ({"badges": [{"name": "a", "key": "zz" * 16, "began_s": 0}]}, "32 hexadecimal"),
        ({"badges": [{"name": "a", "key": KEY, "began_s": 0}] * 2}, "name is given twice"),
    ],
)
def test_what_cannot_be_is_refused(radio: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        line(**radio)
