"""A UHPPOTE access board with its event memory, on a UDP port, and people at its doors."""

import asyncio
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from struct import pack_into, unpack_from
from typing import Self, cast

from firmware_interfaces.observations import Seen
from simulators.devices.far_device import FarDevice
from simulators.devices.faults import Faults, Noise

MEMORY_COUNT = 1_000


class AccessBoard(FarDevice):
    """One board with four doors; `name` is that of its door 1 in the box's settings.

    Attributes:
        serial: as printed on it.
        mark: up to which event it was read, as the box told it.
        opened_count: how often the box opened a door.
        is_silent: whether its power is gone; what happens then is remembered all the same.
        loses_marks: whether it never hears up to where it was read.
        cards: those that its own list lets in.
    """

    def __init__(self, name: str, *, serial: int = 405_419_896) -> None:
        super().__init__(name)
        self.serial = serial
        self.mark = 0
        self.opened_count = 0
        self.is_silent = self.loses_marks = False
        self.refuses = False
        self.cards: set[int] = set()
        self.open_doors: set[int] = set()
        self._events: list[tuple[int, int, bool, datetime]] = []
        self._skipped_count = 0
        self._late = timedelta()

    @property
    def _now(self) -> datetime:
        return datetime.fromtimestamp(time.time_ns() / 1e9, UTC)

    def swipe(self, card: int, door: int = 1, *, ago_s: int = 0) -> None:
        """Hold a card to a reader; the number is facility * 100000 + number."""
        at = self._now - timedelta(seconds=ago_s)
        self._events.append((card, door, card in self.cards, at))
        if len(self._events) > MEMORY_COUNT:
            self._events.pop(0)
            self._skipped_count += 1

    def clear(self) -> None:
        """Forget every event, as a reset does."""
        self._events.clear()
        self._skipped_count = self.mark = 0

    def hear(self, data: bytes) -> None:
        """Answer whole packets; a packet is never split on UDP."""
        for at in range(0, len(data), 64):
            raw = data[at : at + 64]
            if len(raw) == 64 and raw[0] == 0x17 and unpack_from("<I", raw, 4)[0] == self.serial:
                self._obey(raw)

    def _obey(self, raw: bytes) -> None:
        function, (number,) = raw[1], unpack_from("<I", raw, 8)
        if function == 0xB2 and self.loses_marks:
            return
        answer = bytearray(64)
        answer[0], answer[1] = 0x17, function
        pack_into("<I", answer, 4, self.serial)
        emission = ""
        if function == 0x20:
            self._write_event(answer, self._skipped_count + len(self._events))
            for door in self.open_doors:
                answer[27 + door] = 1
            clock = self._now.strftime("%y%m%d%H%M%S")
            answer[51:54], answer[37:40] = bytes.fromhex(clock[:6]), bytes.fromhex(clock[6:])
        elif function == 0xB0:
            emission = self._write_event(answer, number)
        elif function == 0xB4:
            pack_into("<I", answer, 8, self.mark)
        elif function == 0xB2:
            self.mark = number
            answer[8] = 1
        elif function == 0x40:
            self.opened_count += not self.refuses
            answer[8] = not self.refuses
        self._reply(bytes(answer), emission)

    def _reply(self, whole: bytes, emission: str) -> None:
        def crossed(data: bytes) -> None:
            if emission and data == whole:
                self.emit(Seen.CARD, emission, part=1)

        if not self.is_silent:
            self.send(whole, crossed)

    def _write_event(self, answer: bytearray, index: int) -> str:
        place = index - self._skipped_count - 1
        if index == 0 or not self._events:
            return ""
        if place < 0:
            pack_into("<I", answer, 8, index)
            answer[12] = 0xFF
            return ""
        card, door, is_granted, at = self._events[min(place, len(self._events) - 1)]
        pack_into("<IBBBB", answer, 8, index, 1, is_granted, door, 1)
        pack_into("<I", answer, 16, card)
        answer[20:27] = bytes.fromhex(at.strftime("%Y%m%d%H%M%S"))
        return card_of(card)


def card_of(number: int) -> str:
    """Write a card as readers say it: 26 bits, the first an even and the last an odd parity."""
    data = f"{number // 100_000:08b}{number % 100_000:016b}"
    bits = f"{data[:12].count('1') % 2}{data}{1 - data[12:].count('1') % 2}"
    return f"26:{int(bits.ljust(32, '0'), 2):08x}"


class DatagramWire:
    """The network between a box and one board.

    Args:
        board: who answers.
        faults: of the network; a datagram with a spoiled byte is dropped, as its checksum would.

    Attributes:
        url: the `port` that the box's settings must name.
    """

    def __init__(self, board: AccessBoard, faults: Faults | None = None) -> None:
        self.url = ""
        self._to_box = Noise(faults or Faults(), "to box")
        self._from_box = Noise(faults or Faults(), "from box")
        self._board = board
        self._number = 0
        self._endpoint: _Endpoint | None = None
        self._transport: asyncio.DatagramTransport | None = None

    async def __aenter__(self) -> Self:
        """Plug the board in."""
        await self.plug()
        return self

    async def __aexit__(self, *_: object) -> None:
        """Take it away."""
        self.unplug()

    async def plug(self) -> None:
        """Listen; the first time on a free port, afterwards on the same."""
        loop = asyncio.get_running_loop()
        self._transport, self._endpoint = await loop.create_datagram_endpoint(
            lambda: _Endpoint(self._board, self._to_box, self._from_box),
            local_addr=("127.0.0.1", self._number),
        )
        self._number = self._transport.get_extra_info("sockname")[1]
        self.url = f"udp://127.0.0.1:{self._number}"

    def write_now(self, data: bytes) -> bool:
        """Send the box a packet that is not the board's; False while it never said where it is."""
        return self._endpoint is not None and self._endpoint.write(data)

    def unplug(self) -> None:
        """Pull the network cable; may be called twice."""
        if self._transport is not None:
            self._transport.abort()
            self._transport = self._endpoint = None


class _Endpoint(asyncio.DatagramProtocol):
    def __init__(self, board: AccessBoard, to_box: Noise, from_box: Noise) -> None:
        self._board = board
        self._to_box, self._from_box = to_box, from_box
        self._transport: asyncio.DatagramTransport | None = None
        self._box: tuple[str, int] | None = None

    def write(self, data: bytes) -> bool:
        if self._transport is None or self._box is None:
            return False
        self._transport.sendto(data, self._box)
        return True

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # What asyncio gives is one by its methods, not by its class.
        self._transport = cast("asyncio.DatagramTransport", transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        transport = self._transport
        assert transport is not None
        self._box = addr
        if self._from_box.spoil(data) != data:
            return

        def send(data: bytes, crossed: Callable[[bytes], None] | None = None) -> None:
            if self._to_box.spoil(data) != data:
                return
            transport.sendto(data, addr)
            if crossed is not None:
                crossed(data)

        self._board.send = send
        self._board.hear(data)
