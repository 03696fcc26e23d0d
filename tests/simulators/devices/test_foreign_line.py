import asyncio
from pathlib import Path

from firmware_interfaces.observations import Admit, Seen
from simulators.devices.foreign_line import ForeignLine, frame
from simulators.devices.wire import PtyWire
from tests.firmware_interfaces.vectors import vectors
from tests.firmware_interfaces.worlds import Box, line_for

TABLE = {"family": "osdp", "mode": "listen", "devices": [{"name": "gate", "address": 3}]}


def test_a_box_hears_what_controller_and_reader_say_and_says_nothing(tmp_path: Path) -> None:
    async def play() -> None:
        device = ForeignLine("gate", address=3)
        async with (
            PtyWire([device], tmp_path / "line", baud=9_600) as wire,
            Box(line_for(TABLE, wire.url)) as box,
        ):
            await box.until(Seen.BACK)
            device.show("26:0a1b2c80", is_let_in=True)
            device.type("15")
            box.lines[0].tell(Admit("gate"))
            await box.until(Seen.KEYS)
            facts = [(o.seen, o.value) for o in box.observed if o.seen is not Seen.BACK]
            assert (Seen.REFUSED_BY_DEVICE, "only listening") in facts
            told = [(e.seen, e.value) for e in device.emitted]
            assert told == [(Seen.CARD, "26:0a1b2c80"), (Seen.ADMITTED, ""), (Seen.KEYS, "15")]
            assert [fact for fact in facts if fact[0] is not Seen.REFUSED_BY_DEVICE] == told
            assert device.heard_bytes_count == 0

    asyncio.run(play())


def test_its_frames_are_those_that_others_published() -> None:
    published = {case["what"]: case["hex"] for case in vectors("osdp_published")["frames"]}
    assert frame(0, 0x06, b"\x60").hex() == "ff" + published["osdp_POLL"]
