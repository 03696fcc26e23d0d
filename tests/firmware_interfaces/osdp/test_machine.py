import asyncio
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import osdp_sys  # type: ignore[import-not-found]  # a C module without stubs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from firmware_interfaces.observations import (
    Admit,
    Command,
    Install,
    Observation,
    Refuse,
    Rekey,
    Seen,
)
from firmware_interfaces.osdp.codec import crc16
from firmware_interfaces.osdp.machine import OsdpMachine
from firmware_interfaces.osdp.reader import ADMITS_COUNT_MAX
from firmware_interfaces.osdp.settings import OsdpLine
from simulators.devices.faults import Faults
from simulators.devices.gate_reader import GateReader, PlainTextReader, TapOutcome
from simulators.devices.wire import PtyWire
from tests.firmware_interfaces.worlds import KEY, WAIT_S_MAX, Box, at_ms, line_for, reader_table

OTHER_KEY = bytes(reversed(KEY))


def machine(*readers: tuple[str, int]) -> OsdpMachine:
    table = reader_table(*readers) | {"port": "/dev/ttyUSB0"}
    return OsdpMachine(OsdpLine.model_validate(table), [[KEY]] * len(readers), bytes(16))


def play(scene: Any, *readers: GateReader, folder: Path, **options: Any) -> None:
    """Run `scene(box, wire)` once every reader with the right key is back."""

    async def run() -> None:
        table = reader_table(*((reader.name, reader.address) for reader in readers))
        wire = PtyWire(readers, folder / "line", **options)
        async with wire, Box(line_for(table, wire.url)) as box:
            await box.until(Seen.BACK, len(readers))
            await scene(box, wire)

    asyncio.run(run())


def gate(address: int = 0) -> GateReader:
    return GateReader(f"gate-{address}", key=KEY, address=address)


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(WAIT_S_MAX):
        while not condition():  # noqa: ASYNC110  # what is looked at here rings no bell
            await asyncio.sleep(0.01)


def answer(box: Box, command: Command) -> None:
    """Give the command for every card that comes."""

    def tell(observation: Observation) -> None:
        if observation.seen is Seen.CARD:
            box.lines[0].tell(command)

    box.on_observation = tell


def test_a_card_is_admitted_and_the_reader_shows_it(tmp_path: Path) -> None:
    reader = gate()

    async def scene(box: Box, _: PtyWire) -> None:
        answer(box, Admit(reader.name, open_ms=3_000))
        assert await reader.tap("26:0a1b2c80") is TapOutcome.ADMITTED
        await box.until(Seen.ADMITTED)
        await until(lambda: len(reader.told) == 3)
        output, led, buzzer = (told.command for told in reader.told)
        assert (output["output_no"], output["timer_count"]) == (0, 30)
        assert (led["on_color"], led["timer_count"]) == (osdp_sys.LED_COLOR_GREEN, 30)
        assert buzzer["rep_count"] == 1

    play(scene, reader, folder=tmp_path)


def test_a_card_is_refused_in_red_and_the_output_stays(tmp_path: Path) -> None:
    reader = gate()

    async def scene(box: Box, _: PtyWire) -> None:
        answer(box, Refuse(reader.name))
        assert await reader.tap("26:0a1b2c80") is TapOutcome.REFUSED
        await asyncio.sleep(0.1)
        assert all(told.command["command"] != osdp_sys.CMD_OUTPUT for told in reader.told)
        assert not box.seen(Seen.ADMITTED)

    play(scene, reader, folder=tmp_path)


def test_a_plain_reader_is_not_told_what_it_cannot_do(tmp_path: Path) -> None:
    # A command that it does not know would be answered with a NAK and cost the session.
    reader = GateReader("plain", key=KEY, is_plain=True)

    async def scene(box: Box, _: PtyWire) -> None:
        box.lines[0].tell(Admit("plain"))
        box.lines[0].tell(Refuse("plain"))
        await box.until(Seen.REFUSED_BY_DEVICE, 2)
        assert [o.value for o in box.seen(Seen.REFUSED_BY_DEVICE)] == [
            "reader has no such output",
            "reader has neither LED nor buzzer",
        ]
        reader.show("26:0a1b2c80")
        await box.until(Seen.CARD)

    play(scene, reader, folder=tmp_path)


CARDS = [
    "1:80",
    "26:0a1b2c80",
    "34:0123456780",
    "37:0123456788",
    "56:04a2b3c4d5e6f7",
    "128:" + "5a" * 16,
    "512:" + "a5" * 64,  # libosdp reads a frame this long in two goes
]


def test_cards_of_any_length_and_keys_arrive_as_sent(tmp_path: Path) -> None:
    reader = gate()

    async def scene(box: Box, _: PtyWire) -> None:
        for count, card in enumerate(CARDS, start=1):
            reader.show(card)
            assert (await box.until(Seen.CARD, count)).value == card
        reader.type("0123456789*#")
        assert (await box.until(Seen.KEYS)).value == "0123456789*#"
        await asyncio.sleep(0.2)
        assert [e.value for e in reader.emitted] == [*CARDS, "0123456789*#"]

    play(scene, reader, folder=tmp_path)


def test_readers_of_one_line_are_told_apart(tmp_path: Path) -> None:
    readers = [gate(address) for address in (0, 1, 126)]

    async def scene(box: Box, _: PtyWire) -> None:
        for reader in readers:
            reader.show(f"32:{reader.address:08x}")
        await box.until(Seen.CARD, 3)
        assert {(o.device, o.value) for o in box.seen(Seen.CARD)} == {
            (reader.name, f"32:{reader.address:08x}") for reader in readers
        }

    play(scene, *readers, folder=tmp_path)


def test_tampering_is_said_once(tmp_path: Path) -> None:
    reader = gate()

    async def scene(box: Box, _: PtyWire) -> None:
        reader.tamper()
        await box.until(Seen.TAMPERED)
        reader.tamper()
        reader.tamper(is_open=False)
        reader.tamper()
        await box.until(Seen.TAMPERED, 2)
        reader.type("1")
        await box.until(Seen.KEYS)
        assert len(box.seen(Seen.TAMPERED)) == 2

    play(scene, reader, folder=tmp_path)


def test_cure_offline_a_nak_costs_moments_and_not_300_seconds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    reader = gate()
    body = bytes([0x53, 0x80, 9, 0, 0x04, 0x41, 0x04])
    nak = body + crc16(body).to_bytes(2, "little")

    async def scene(box: Box, _: PtyWire) -> None:
        honest = reader.hear
        monkeypatch.setattr(reader, "hear", lambda _: reader.send(nak))
        machine = box.lines[0].machine
        assert isinstance(machine, OsdpMachine)
        await until(lambda: machine._readers[0].online_ns is None)
        monkeypatch.setattr(reader, "hear", honest)
        await until(lambda: machine._readers[0].online_ns is not None)
        reader.show("26:0a1b2c80")
        await box.until(Seen.CARD)
        assert not box.seen(Seen.LOST), "it was back before anybody had to know"

    play(scene, reader, folder=tmp_path)


def test_cure_enforce_secure_a_wrong_key_is_a_loss_and_its_neighbour_works(tmp_path: Path) -> None:
    right, wrong = gate(0), GateReader("wrong", key=OTHER_KEY, address=1)

    async def scene() -> None:
        table = reader_table((right.name, 0), (wrong.name, 1))
        wire = PtyWire([right, wrong], tmp_path / "line")
        async with wire, Box(line_for(table, wire.url)) as box:
            await box.until(Seen.BACK, device=right.name)
            lost = await box.until(Seen.LOST, device=wrong.name)
            assert lost.value == "no secure channel"
            right.show("26:0a1b2c80")
            await box.until(Seen.CARD, device=right.name)
            box.lines[0].tell(Admit(wrong.name))
            assert (await box.until(Seen.REFUSED_BY_DEVICE)).value == "lost"
            assert not box.seen(Seen.BACK, wrong.name)

    asyncio.run(scene())


def test_a_silent_reader_is_lost_once_and_back_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    reader, neighbour = gate(0), gate(1)

    async def scene(box: Box, _: PtyWire) -> None:
        honest = reader.hear
        monkeypatch.setattr(reader, "hear", lambda _: None)
        await box.until(Seen.LOST, device=reader.name)
        neighbour.show("26:0a1b2c80")
        await box.until(Seen.CARD, device=neighbour.name)
        monkeypatch.setattr(reader, "hear", honest)
        await box.until(Seen.BACK, 2, device=reader.name)
        assert len(box.seen(Seen.LOST)) == 1
        assert len(box.seen(Seen.BACK, neighbour.name)) == 1

    play(scene, reader, neighbour, folder=tmp_path)


def test_on_a_noisy_line_no_card_is_lost_changed_or_doubled(tmp_path: Path) -> None:
    reader = gate()
    faults = Faults(seed=7, flipped_ppm=1_000, dropped_ppm=500, inserted_ppm=500)

    async def scene(box: Box, _: PtyWire) -> None:
        answer(box, Admit(reader.name))
        until_s = time.monotonic() + 4
        number = 0
        while time.monotonic() < until_s:
            number += 1
            if await reader.tap(f"32:{number:08x}") is TapOutcome.NOTHING:
                await asyncio.sleep(0.05)
        observed = [o.value for o in box.seen(Seen.CARD)]
        assert reader.emitted
        assert {e.value for e in reader.emitted} <= set(observed)
        assert len(set(observed)) == len(observed)
        assert {int(value[3:], 16) for value in observed} <= set(range(1, number + 1))

    play(scene, reader, folder=tmp_path, baud=115_200, faults=faults)


def test_a_flood_of_commands_is_bounded(tmp_path: Path) -> None:
    reader = gate()

    async def scene(box: Box, _: PtyWire) -> None:
        for _number in range(ADMITS_COUNT_MAX + 3):
            box.lines[0].tell(Admit(reader.name))
        await box.until(Seen.ADMITTED, ADMITS_COUNT_MAX)
        assert [o.value for o in box.seen(Seen.REFUSED_BY_DEVICE)] == ["busy"] * 3

    play(scene, reader, folder=tmp_path)


@pytest.mark.parametrize("command", [Admit("gate-0"), Refuse("gate-0"), Admit("nobody")])
def test_before_the_secure_channel_everything_is_refused(command: Command) -> None:
    one = machine(("gate-0", 0))
    one.line_opened(at_ms(0))
    (said,) = one.command(command, at_ms(1))
    assert said.seen is Seen.REFUSED_BY_DEVICE


def test_a_closed_line_neither_sends_nor_wakes() -> None:
    one = machine(("gate-0", 0))
    assert one.deadline_ns() is None
    one.line_opened(at_ms(0))
    assert one.bytes_to_send()
    assert [o.seen for o in one.line_lost(at_ms(1))] == [Seen.LOST]
    assert one.line_lost(at_ms(2)) == []
    assert one.bytes_to_send() == b""
    assert one.time_passed(at_ms(3)) == []


@settings(max_examples=40)
@given(st.lists(st.binary(max_size=120), max_size=20))
def test_hostile_bytes_never_raise(pieces: list[bytes]) -> None:
    one = machine(("gate-0", 0), ("gate-1", 1))
    said = one.line_opened(at_ms(0))
    for ms, data in enumerate(pieces):
        said += one.bytes_received(data, at_ms(ms))
        said += one.time_passed(at_ms(ms))
        one.bytes_to_send()
    assert all(o.seen is Seen.LOST for o in said)


def test_a_new_key_is_confirmed_and_the_old_one_is_of_no_use_any_more(tmp_path: Path) -> None:
    reader = gate()

    async def scene(box: Box, wire: PtyWire) -> None:
        box.lines[0].tell(Rekey(reader.name, OTHER_KEY))
        await box.until(Seen.REKEYED)
        # The reader begins its session anew, under the new key: until then it sees no card.
        while not box.seen(Seen.CARD):
            await reader.tap("32:00000007", 0.5)
            await asyncio.sleep(0.1)
        wire.unplug()
        await box.until(Seen.LOST)
        await wire.plug()
        await box.until(Seen.BACK, 2)

    play(scene, reader, folder=tmp_path)

    async def with_key(key: bytes, seen: Seen) -> None:
        table = reader_table((reader.name, 0), key=key)
        wire = PtyWire([reader], tmp_path / "again")
        async with wire, Box(line_for(table, wire.url)) as box:
            await box.until(seen)

    asyncio.run(with_key(OTHER_KEY, Seen.BACK))
    asyncio.run(with_key(KEY, Seen.LOST))


def test_a_key_that_anybody_knows_is_refused(tmp_path: Path) -> None:
    reader = gate()

    async def scene(box: Box, _: PtyWire) -> None:
        for key in (bytes(range(0x30, 0x40)), bytes(16), OTHER_KEY[:15]):
            box.lines[0].tell(Rekey(reader.name, key))
        await box.until(Seen.REFUSED_BY_DEVICE, 3)
        assert "publicly known" in box.observed[-1].value
        assert not reader.told

    play(scene, reader, folder=tmp_path)


WRONG_KEY = bytes(range(100, 116))


def play_unkeyed(scene: Any, reader: GateReader, folder: Path, key: bytes = KEY) -> None:
    """Run `scene(box)` with a reader that the box's key does not fit."""

    async def run() -> None:
        table = reader_table((reader.name, reader.address), key=key)
        wire = PtyWire([reader], folder / "line")
        async with wire, Box(line_for(table, wire.url)) as box:
            await scene(box)

    asyncio.run(run())


def test_a_reader_in_installation_mode_is_never_trusted_unasked(tmp_path: Path) -> None:
    reader = GateReader("gate-0", key=None)

    async def scene(box: Box) -> None:
        assert (await box.until(Seen.LOST)).value == "no secure channel"
        assert not reader.is_online

    play_unkeyed(scene, reader, tmp_path)


def test_within_a_window_a_reader_is_given_its_own_key_at_once(tmp_path: Path) -> None:
    reader = GateReader("gate-0", key=None)

    async def scene(box: Box) -> None:
        await box.until(Seen.LOST)
        box.lines[0].tell(Install("gate-0", for_s=30))
        assert (await box.until(Seen.INSTALL_OPENED)).value == "30"
        # "own key": it took the key, its answer came too late, and it was met anew with it.
        assert (await box.until(Seen.INSTALL_CLOSED)).value in {"keyed", "own key"}
        await box.until(Seen.BACK)
        reader.show("32:00000007")
        await box.until(Seen.CARD)
        box.lines[0].tell(Install("gate-0"))
        assert "key of its own" in (await box.until(Seen.REFUSED_BY_DEVICE)).value

    play_unkeyed(scene, reader, tmp_path)
    play_unkeyed(lambda box: box.until(Seen.BACK), reader, tmp_path)  # the key is its own now
    play_unkeyed(lambda box: box.until(Seen.LOST), reader, tmp_path, WRONG_KEY)


def test_a_window_closes_by_itself_and_the_well_known_key_is_of_no_use_any_more(
    tmp_path: Path,
) -> None:
    reader = GateReader("gate-0", key=None)

    async def scene(box: Box) -> None:
        await box.until(Seen.LOST)
        reader.send, send = (lambda *_: None), reader.send  # its cable is not in yet
        box.lines[0].tell(Install("gate-0", for_s=1))
        assert (await box.until(Seen.INSTALL_CLOSED)).value == "time"
        reader.send = send
        await asyncio.sleep(3.0)  # it is tried again in the meantime
        assert not box.seen(Seen.BACK)
        assert not reader.is_online

    play_unkeyed(scene, reader, tmp_path)


def test_a_window_can_be_closed(tmp_path: Path) -> None:
    async def scene(box: Box) -> None:
        await box.until(Seen.LOST)
        box.lines[0].tell(Install("gate-0", for_s=30))
        box.lines[0].tell(Install("gate-0", for_s=0))
        assert (await box.until(Seen.INSTALL_CLOSED)).value == "told"

    reader = GateReader("gate-0", key=WRONG_KEY)
    play_unkeyed(scene, reader, tmp_path)


def test_a_reader_without_a_secure_channel_only_says_who_it_is(tmp_path: Path) -> None:
    reader = PlainTextReader("gate-0", key=None)

    async def scene(box: Box) -> None:
        await box.until(Seen.LOST)
        box.lines[0].tell(Install("gate-0", for_s=30))
        assert "plain text" in (await box.until(Seen.DESCRIBED)).value
        await asyncio.sleep(0.5)
        assert not box.seen(Seen.BACK)
        assert not box.seen(Seen.CARD)

    play_unkeyed(scene, reader, tmp_path)


def test_a_reader_says_who_it_is_and_what_it_has(tmp_path: Path) -> None:
    reader = gate()

    async def scene(box: Box, _: PtyWire) -> None:
        assert (await box.until(Seen.DESCRIBED)).value == (
            "maker 001fd0, model 1, version 1, serial 00000001, firmware 1.2.3, "
            "outputs 2, inputs 1, LED 1, buzzer 1, text 1"
        )

    play(scene, reader, folder=tmp_path)


def test_either_of_two_keys_is_found_and_said_and_a_neighbour_is_not_lost(tmp_path: Path) -> None:
    readers = GateReader("a", key=OTHER_KEY, address=0), GateReader("b", key=KEY, address=1)

    async def run() -> None:
        key_file = tmp_path / "a.key"
        key_file.write_text(KEY.hex())
        (tmp_path / "a.key.new").write_text(OTHER_KEY.hex())
        table = reader_table(("a", 0), ("b", 1))
        del table["devices"][0]["key"]
        table["devices"][0]["key_file"] = str(key_file)
        wire = PtyWire(readers, tmp_path / "line")
        async with wire, Box(line_for(table, wire.url)) as box:
            await box.until(Seen.REKEYED, device="a")
            await box.until(Seen.BACK, 2)
            assert not box.seen(Seen.LOST)

    asyncio.run(run())


def test_tamper_and_power_are_reported(tmp_path: Path) -> None:
    reader = gate()

    async def scene(box: Box, _: PtyWire) -> None:
        reader.tamper()
        await box.until(Seen.TAMPERED)
        reader.fail_power()
        await box.until(Seen.POWER_LOST)
        reader.tamper(is_open=False)
        await box.until(Seen.UNTAMPERED)
        reader.fail_power(is_failing=False)
        await box.until(Seen.POWER_BACK)
        assert len(box.seen(Seen.TAMPERED)) == 1

    play(scene, reader, folder=tmp_path)


def test_an_answer_is_written_on_a_reader_that_has_a_display(tmp_path: Path) -> None:
    reader = gate()

    async def run() -> None:
        table = reader_table(("gate-0", 0))
        table["devices"][0] |= {"text_admitted": "PASS", "text_refused": "ASK AT THE DESK"}
        wire = PtyWire([reader], tmp_path / "line")
        async with wire, Box(line_for(table, wire.url)) as box:
            await box.until(Seen.BACK)
            box.lines[0].tell(Admit("gate-0"))
            box.lines[0].tell(Refuse("gate-0"))

            def words() -> list[str]:
                return [t.command["data"] for t in reader.told if "offset_row" in t.command]

            await until(lambda: words() == ["PASS", "ASK AT THE DESK"])

    asyncio.run(run())
