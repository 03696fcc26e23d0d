"""The note beside the journal is believed only if it is what was written."""

from pathlib import Path

from edge.witness import Witness, read_witness


def test_the_last_note_is_read_back(tmp_path: Path) -> None:
    path = tmp_path / "note"
    assert read_witness(path) is None
    witness = Witness(path)
    witness.note(b"e" * 16, 7, b"h" * 32)
    witness.note(b"e" * 16, 9, b"i" * 32)
    assert read_witness(path) == (b"e" * 16, 9)
    witness.close()
    assert read_witness(path) == (b"e" * 16, 9)


def test_any_flipped_bit_or_missing_byte_makes_it_worthless(tmp_path: Path) -> None:
    path = tmp_path / "note"
    witness = Witness(path)
    witness.note(b"e" * 16, 7, b"h" * 32)
    witness.close()
    data = path.read_bytes()
    for place in range(len(data)):
        flipped = bytearray(data)
        flipped[place] ^= 1 << (place % 8)
        path.write_bytes(flipped)
        assert read_witness(path) is None
        path.write_bytes(data[:place])
        assert read_witness(path) is None


def test_where_it_cannot_be_written_nothing_happens(tmp_path: Path) -> None:
    witness = Witness(tmp_path / "none" / "note")
    witness.note(b"e" * 16, 7, b"h" * 32)
    witness.close()
    assert read_witness(tmp_path / "none" / "note") is None
