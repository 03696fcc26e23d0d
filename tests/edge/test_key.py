"""The box's key is made once, kept from others, and never guessed at."""

from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from agreed.signing import fingerprint, is_signed
from edge.key import KeyDamagedError, make_key, open_key, read_key


def test_a_key_is_made_once_and_readable_by_its_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "box.key"
    made = open_key(path, b"a" * 32)
    assert path.stat().st_mode & 0o777 == 0o600
    again = open_key(path, b"b" * 32)
    assert again.public == made.public == make_key(b"a" * 32).public
    assert made.fingerprint == fingerprint(made.public)
    assert is_signed(again.public, b"words", made.sign(b"words"))
    assert [path.name for path in tmp_path.iterdir()] == ["box.key"]


def test_a_start_that_was_cut_off_leaves_no_half_key(tmp_path: Path) -> None:
    (tmp_path / "box.key.part").write_bytes(b"-----BEGIN PRI")
    assert open_key(tmp_path / "box.key", b"a" * 32).public == make_key(b"a" * 32).public


@pytest.mark.parametrize("content", [b"", b"no key", b"\xff" * 9_000])
def test_what_is_no_key_is_named_and_left_alone(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "box.key"
    path.write_bytes(content)
    with pytest.raises(KeyDamagedError):
        open_key(path, b"a" * 32)
    assert path.read_bytes() == content


def test_another_kind_of_key_is_refused(tmp_path: Path) -> None:
    other = X25519PrivateKey.from_private_bytes(b"a" * 32)
    path = tmp_path / "box.key"
    path.write_bytes(other.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    with pytest.raises(KeyDamagedError, match="another kind"):
        read_key(path)


def test_another_library_reads_our_key_and_we_read_its(tmp_path: Path) -> None:
    path = tmp_path / "box.key"
    ours = open_key(path, b"a" * 32)
    theirs = load_pem_private_key(path.read_bytes(), None)
    assert isinstance(theirs, Ed25519PrivateKey)
    assert theirs.sign(b"words") == ours.sign(b"words")
    path.write_bytes(theirs.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    assert read_key(path).public == ours.public
