"""Framing, data and secure channel agree with what others published of the standard."""

import time
from typing import Any

import osdp_sys  # type: ignore[import-not-found]  # a C module without stubs
import pytest

from firmware_interfaces.osdp import commands
from firmware_interfaces.osdp.codec import FrameReader, crc16
from firmware_interfaces.osdp.panel import Panel
from firmware_interfaces.osdp.reports import card_text, card_value, keys_text, who_text
from tests.firmware_interfaces.osdp.independent_reader import KEYSET, IndependentReader, Session
from tests.firmware_interfaces.vectors import vectors
from tests.firmware_interfaces.worlds import KEY

PUBLISHED = vectors("osdp_published")
EXAMPLE = {
    name: bytes.fromhex(text)
    for name, text in PUBLISHED["secure_channel"].items()
    if name != "from"
}
WAIT_S_MAX = 90.0
RANDOM = bytes(range(0xA0, 0xA8))


@pytest.mark.parametrize("case", PUBLISHED["crcs"], ids=lambda case: case["crc"])
def test_checks(case: dict[str, str]) -> None:
    assert f"{crc16(case['of'].encode()):04x}" == case["crc"]


@pytest.mark.parametrize("case", PUBLISHED["frames"], ids=lambda case: case["what"])
def test_frames(case: dict[str, Any]) -> None:
    raw = bytes.fromhex(case["hex"])
    (frame,) = FrameReader().feed(raw)
    assert frame.raw == raw
    for field in ("address", "is_reply", "sequence", "code"):
        assert getattr(frame, field) == case[field], field
    assert frame.data == bytes.fromhex(case["data"])


@pytest.mark.parametrize("case", PUBLISHED["refused"], ids=lambda case: case["what"])
def test_frames_with_a_sum_are_not_believed(case: dict[str, str]) -> None:
    assert FrameReader().feed(bytes.fromhex(case["hex"])) == []


def test_data() -> None:
    for card in PUBLISHED["cards"]:
        assert card_value(bytes.fromhex(card["data"])) == card["value"]
    for identity in PUBLISHED["identities"]:
        assert who_text(bytes.fromhex(identity["data"])) == identity["who"]


def test_the_witness_computes_the_standards_own_example() -> None:
    session = Session(EXAMPLE["scbk"], EXAMPLE["panel_random"], EXAMPLE["reader_random"])
    names = ("s_enc", "s_mac1", "s_mac2", "reader_cryptogram", "panel_cryptogram", "first_mac")
    assert {name: getattr(session, name) for name in names} == {n: EXAMPLE[n] for n in names}


class World:
    """A panel and the witness, joined in memory; libosdp reads its own clock, so time is real."""

    def __init__(self, reader_key: bytes = KEY) -> None:
        self.panel = Panel([(0, KEY)])
        self.reader = IndependentReader(reader_key, RANDOM)

    def step(self) -> None:
        self.panel.refresh()
        if command := self.panel.bytes_to_send():
            self.panel.bytes_received(self.reader.hear(command))

    def until_secure(self, wait_s: float = WAIT_S_MAX) -> bool:
        until_s = time.monotonic() + wait_s
        while not self.panel.is_secure(0) and time.monotonic() < until_s:
            self.step()
            time.sleep(0.001)
        return self.panel.is_secure(0)

    def events(self, count: int) -> list[dict[str, Any]]:
        until_s = time.monotonic() + WAIT_S_MAX
        found: list[dict[str, Any]] = []
        while len(found) < count and time.monotonic() < until_s:
            self.step()
            time.sleep(0.001)
            while self.panel.events:
                event = self.panel.events.popleft()[1]
                if event["event"] != osdp_sys.EVENT_NOTIFICATION:
                    found.append(event)
        return found


def test_libosdps_panel_keeps_a_secure_channel_with_a_reader_that_is_not_libosdp() -> None:
    world = World()
    assert world.until_secure()
    world.reader.says += [
        (0x50, bytes.fromhex("00001a000a1b2c80")),
        (0x53, b"\x00\x0412*#".replace(b"*", b"\x7f").replace(b"#", b"\x0d")),
    ]
    card, typed = world.events(2)
    assert card_text(card["length"], card["data"]) == "26:0a1b2c80"
    assert keys_text(typed["data"]) == "12*#"

    assert world.panel.submit(0, commands.output(0, 3_000))
    new_key = bytes(range(7, 23))
    assert world.panel.submit(0, commands.keyset(new_key))
    until_s = time.monotonic() + WAIT_S_MAX
    while len(world.reader.told) < 2 and time.monotonic() < until_s:
        world.step()
        time.sleep(0.001)
    told = dict(world.reader.told)
    assert told[0x68].hex() == "00051e00"  # output 0, on for a while, 30 tenths of a second
    assert told[KEYSET].hex() == "0110" + new_key.hex()
    assert world.reader.faults == []


def test_a_reader_with_another_key_gets_no_channel() -> None:
    world = World(bytes(range(1, 17))[::-1])
    assert not world.until_secure(1.0)
    assert world.reader.told == []
