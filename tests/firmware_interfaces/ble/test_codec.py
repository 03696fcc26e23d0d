from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware_interfaces.ble.codec import Ephemeral, Report, ReportReader, identity, written
from tests.firmware_interfaces.vectors import vectors

VECTORS = vectors("beacons")

reports = st.builds(
    Report,
    st.binary(min_size=6, max_size=6),
    st.integers(-127, 20),
    st.binary(max_size=40),
)


@pytest.mark.parametrize("case", VECTORS["identities"], ids=lambda case: case["hex"])
def test_who_a_beacon_says_it_is(case: dict[str, Any]) -> None:
    data = bytes.fromhex(case["hex"])
    wanted = Ephemeral(bytes.fromhex(case["eid"])) if "eid" in case else case["is"]
    assert identity(data) == wanted
    for cut in range(len(data)):
        assert identity(data[:cut]) in {None, wanted}


@pytest.mark.parametrize(
    "data",
    [
        b"\x00" * 5,
        b"\x02\xff\x4c",  # too short for a maker
        b"\x1a\xff\x4c\x00\x02\x16" + bytes(21),  # Apple, but no proximity beacon
        b"\x1a\xff\x4d\x00\x02\x15" + bytes(21),  # another maker
        b"\x0d\x16\xab\xfe\x30" + bytes(9),  # another service
        b"\x05\x16\xaa\xfe\x30\x00",  # half a changing name
    ],
)
def test_what_is_no_beacon_has_no_identity(data: bytes) -> None:
    assert identity(data) is None


@given(st.binary(max_size=100))
def test_hostile_advertisements_do_not_raise(data: bytes) -> None:
    identity(data)


@given(
    st.lists(st.one_of(reports.map(written), st.binary(max_size=12)), max_size=6),
    st.integers(1, 30),
)
def test_any_split_gives_the_same(parts: list[bytes], size: int) -> None:
    stream = b"".join(parts)
    reader, found = ReportReader(), []
    for at in range(0, len(stream), size):
        found += reader.feed(stream[at : at + size])
    assert found == ReportReader().feed(stream)
    assert len(reader._rest) < 300
    reader.reset()
    assert not reader._rest


@given(reports)
def test_a_report_is_read_as_it_was_written_and_a_flipped_bit_is_not(one: Report) -> None:
    raw = written(one)
    assert ReportReader().feed(raw) == [one]
    for cut in range(len(raw)):
        reader = ReportReader()
        assert reader.feed(raw[:cut]) == []
        assert reader.feed(raw[cut:]) == [one]
    for bit in range(len(raw) * 8):
        spoiled = bytearray(raw)
        spoiled[bit // 8] ^= 1 << bit % 8
        assert one not in ReportReader().feed(bytes(spoiled))
