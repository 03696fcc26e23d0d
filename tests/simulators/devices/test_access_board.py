import asyncio

from firmware_interfaces.observations import Admit, Seen
from firmware_interfaces.uhppote import codec
from firmware_interfaces.uhppote.codec import PacketReader
from simulators.devices.access_board import AccessBoard, DatagramWire
from tests.firmware_interfaces.worlds import Box, line_for

TABLE = {
    "family": "uhppote",
    "serial": 405_419_896,
    "devices": [{"name": "door-1", "door": 1}],
}


def test_a_box_over_udp_sees_cards_and_comes_back_after_an_outage() -> None:
    async def play() -> None:
        board = AccessBoard("door-1")
        async with DatagramWire(board) as wire, Box(line_for(TABLE, wire.url)) as box:
            await box.until(Seen.BACK)
            board.swipe(10_058_400)
            assert (await box.until(Seen.CARD)).value == "26:32721040"
            assert [(e.seen, e.value) for e in board.emitted] == [(Seen.CARD, "26:32721040")]
            wire.unplug()
            await box.until(Seen.LOST)
            board.swipe(10_058_401, ago_s=60)
            await wire.plug()
            await box.until(Seen.BACK, 2)
            await box.until(Seen.CARD_BEFORE)
            box.lines[0].tell(Admit("door-1"))
            await box.until(Seen.ADMITTED)
            assert board.opened_count == 1

    asyncio.run(play())


def test_an_oldest_event_and_an_overwritten_one() -> None:
    board, sent = AccessBoard("door-1"), []
    board.send = lambda data, _=None: sent.append(data)
    board.hear(codec.get_event(board.serial, 1))
    board.swipe(7)
    board._skipped_count = 5
    board.hear(codec.get_event(board.serial, 5) + codec.get_event(board.serial + 1, 6))
    board.is_silent = True
    board.hear(codec.get_event(board.serial, 6))
    kinds = [codec.event_of(p).kind for data in sent for p in PacketReader(board.serial).feed(data)]
    assert kinds == [codec.NO_EVENT, codec.OVERWRITTEN]
