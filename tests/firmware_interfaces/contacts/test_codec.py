from hypothesis import given
from hypothesis import strategies as st

from firmware_interfaces.contacts.codec import FRAME_BYTES, Level, LevelReader, written

levels = st.builds(Level, st.integers(0, 65_535), st.booleans())


@given(
    st.lists(st.one_of(levels.map(written), st.binary(max_size=8)), max_size=8), st.integers(1, 9)
)
def test_any_split_gives_the_same(parts: list[bytes], size: int) -> None:
    stream = b"".join(parts)
    reader, found = LevelReader(), []
    for at in range(0, len(stream), size):
        found += reader.feed(stream[at : at + size])
    assert found == LevelReader().feed(stream)
    assert len(reader._rest) < FRAME_BYTES
    reader.reset()
    assert not reader._rest


@given(levels)
def test_a_level_is_read_as_it_was_written_and_a_flipped_bit_is_never_believed(one: Level) -> None:
    raw = written(one)
    assert LevelReader().feed(raw) == [one]
    for cut in range(len(raw)):
        reader = LevelReader()
        assert reader.feed(raw[:cut]) == []
        assert reader.feed(raw[cut:]) == [one]
    for bit in range(len(raw) * 8):
        spoiled = bytearray(raw)
        spoiled[bit // 8] ^= 1 << bit % 8
        assert LevelReader().feed(bytes(spoiled)) == []
