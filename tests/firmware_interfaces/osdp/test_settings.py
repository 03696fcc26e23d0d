from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from firmware_interfaces.errors import KeyFileError
from firmware_interfaces.osdp.settings import DEFAULT_KEY, OsdpLine, OsdpReader, new_key_file

KEY = "0102030405060708090a0b0c0d0e0f10"


def reader(**fields: Any) -> OsdpReader:
    return OsdpReader.model_validate({"name": "gate", "address": 0} | fields)


def test_a_key_is_read_and_never_shown() -> None:
    one = reader(key=KEY)
    assert one.read_key().hex() == KEY
    assert KEY not in repr(one)


@pytest.mark.parametrize("key", ["", "00", KEY + "00", "x" * 32, KEY[:-1]])
def test_a_key_is_32_hexadecimal_characters(key: str) -> None:
    with pytest.raises(ValidationError, match="32 hexadecimal"):
        reader(key=key)


@pytest.mark.parametrize("key", [DEFAULT_KEY.hex(), "00" * 16, "ff" * 16])
def test_a_key_that_anybody_knows_is_refused(key: str) -> None:
    with pytest.raises(ValidationError, match="publicly known"):
        reader(key=key)


def line(mode: str, **fields: Any) -> OsdpLine:
    devices = [{"name": "gate", "address": 0} | fields]
    table = {"family": "osdp", "port": "/dev/a", "mode": mode, "devices": devices}
    return OsdpLine.model_validate(table)


@pytest.mark.parametrize("fields", [{}, {"key": KEY, "key_file": "/etc/key"}], ids=str)
def test_there_is_one_key(fields: dict[str, str]) -> None:
    with pytest.raises(ValidationError, match="exactly one of key and key_file"):
        line("control", **fields)


def test_a_listener_has_no_key() -> None:
    assert line("listen").devices[0].read_keys() == []
    with pytest.raises(ValidationError, match="no use for a key"):
        line("listen", key=KEY)


def test_a_key_that_a_reader_was_being_given_is_a_second_one(tmp_path: Path) -> None:
    path = tmp_path / "gate.key"
    path.write_text(KEY)
    assert [key.hex() for key in reader(key_file=path).read_keys()] == [KEY]
    new_key_file(path).write_text(KEY[::-1])
    assert [key.hex() for key in reader(key_file=path).read_keys()] == [KEY, KEY[::-1]]


def test_a_key_file(tmp_path: Path) -> None:
    path = tmp_path / "gate.key"
    with pytest.raises(KeyFileError, match=r"gate\.key"):
        reader(key_file=path).read_key()
    path.write_text(KEY + "\n")
    assert reader(key_file=path).read_key().hex() == KEY
    path.write_text("not a key")
    with pytest.raises(KeyFileError, match="reader gate"):
        reader(key_file=path).read_key()


@pytest.mark.parametrize(("second", "field"), [(("gate", 1), "name"), (("other", 0), "address")])
def test_readers_differ(second: tuple[str, int], field: str) -> None:
    readers = [
        {"name": name, "address": address, "key": KEY} for name, address in (("gate", 0), second)
    ]
    with pytest.raises(ValidationError, match=f"{field} is given twice"):
        OsdpLine.model_validate({"family": "osdp", "port": "/dev/a", "devices": readers})
