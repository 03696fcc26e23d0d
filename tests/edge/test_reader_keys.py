from pathlib import Path

import pytest

from edge.reader_keys import (
    KeyFileThereError,
    drop_new_key,
    take_new_key,
    write_key,
    write_new_key,
)
from firmware_interfaces.osdp.settings import new_key_file

OLD, NEW = bytes(range(1, 17)), bytes(range(2, 18))


def test_a_key_is_written_once_and_for_its_owner_only(tmp_path: Path) -> None:
    path = tmp_path / "gate.key"
    write_key(path, OLD)
    assert path.read_text().strip() == OLD.hex()
    assert path.stat().st_mode & 0o777 == 0o600
    with pytest.raises(KeyFileThereError, match=r"gate\.key"):
        write_key(path, NEW)
    assert path.read_text().strip() == OLD.hex()


def test_a_new_key_lies_beside_the_old_one_until_one_of_both_is_sure(tmp_path: Path) -> None:
    path = tmp_path / "gate.key"
    write_key(path, OLD)
    for settle, kept in ((drop_new_key, OLD), (take_new_key, NEW)):
        write_new_key(path, NEW)
        assert path.read_text().strip() == OLD.hex()
        settle(path)
        assert path.read_text().strip() == kept.hex()
        assert not new_key_file(path).exists()
    take_new_key(path)  # there is none: nothing happens
    assert path.read_text().strip() == NEW.hex()
