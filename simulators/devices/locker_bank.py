"""A bank of compartments behind KR-CU16 boards, and the person in front of it."""

import asyncio

from firmware_interfaces.observations import Seen
from simulators.devices.far_device import FarDevice

WAIT_S_MAX = 10.0
LOCKS_PER_BOARD = 16
REQUEST_BYTES = 5
HEARD_BYTES_MAX = 64


class LockerBank(FarDevice):
    """Compartments 1 to `compartments`; all doors begin closed and locked."""

    def __init__(
        self, name: str, *, compartments: int = 24, address: int = 0, hook_when_locked: int = 1
    ) -> None:
        super().__init__(name)
        self.compartments = compartments
        self._board_first = address
        self._hook_when_locked = hook_when_locked
        self._open: set[int] = set()
        self._jammed: set[int] = set()
        self._silent: set[int] = set()
        self._said: set[int] = set()
        self._heard = bytearray()
        self._moved = asyncio.Event()

    def is_open(self, part: int) -> bool:
        """Whether the door stands open."""
        return part in self._open

    async def opened(self, part: int, wait_s: float = WAIT_S_MAX) -> bool:
        """Wait until the door stands open; False when it does not in time."""
        try:
            async with asyncio.timeout(wait_s):
                while not self.is_open(part):
                    self._moved.clear()
                    await self._moved.wait()
        except TimeoutError:
            return False
        return True

    def close(self, part: int) -> None:
        """Push the door shut, as the person does."""
        self._open.discard(part)

    def force(self, part: int) -> None:
        """Open the door without being told by the box (a crowbar, or the key)."""
        self._open.add(part)
        self._moved.set()

    def jam(self, part: int, *, is_jammed: bool = True) -> None:
        """Make the lock ignore every order to open, or heal it."""
        (self._jammed.add if is_jammed else self._jammed.discard)(part)

    def silence(self, board: int, *, is_silent: bool = True) -> None:
        """Take the power from one board, or give it back."""
        (self._silent.add if is_silent else self._silent.discard)(board)

    def hear(self, data: bytes) -> None:
        """Answer whole requests that are for our boards."""
        self._heard += data
        del self._heard[:-HEARD_BYTES_MAX]
        while len(self._heard) >= REQUEST_BYTES:
            request = bytes(self._heard[:REQUEST_BYTES])
            if request[0] == 2 and request[3] == 3 and sum(request[:4]) % 256 == request[4]:
                del self._heard[:REQUEST_BYTES]
                self._obey(request[1] >> 4, request[1] & 15, request[2])
            else:
                del self._heard[0]

    def _obey(self, board: int, lock: int, command: int) -> None:
        first_part = (board - self._board_first) * LOCKS_PER_BOARD + 1
        if not 1 <= first_part <= self.compartments or board in self._silent:
            return
        if command == 0x30:
            self._say_status(board, first_part)
        if command == 0x31 and first_part + lock not in self._jammed:
            self.force(first_part + lock)

    def _say_status(self, board: int, first_part: int) -> None:
        parts = range(first_part, first_part + LOCKS_PER_BOARD)
        now_open = {part for part in parts if part in self._open}
        hooks = sum(1 << (part - first_part) for part in parts if part not in now_open)
        if self._hook_when_locked == 0:
            hooks ^= 0xFFFF
        body = bytes([2, board << 4, 0x35, hooks & 255, hooks >> 8, 0, 0, 3])
        reply = body + bytes([sum(body) % 256])

        def crossed(data: bytes) -> None:
            if data == reply:
                self._emit_changes(set(parts), now_open)

        self.send(reply, crossed)

    def _emit_changes(self, parts: set[int], now_open: set[int]) -> None:
        before = self._said & parts
        for part in sorted(now_open ^ before):
            seen = Seen.DOOR_OPENED if part in now_open else Seen.DOOR_CLOSED
            self.emit(seen, part=part)
        self._said = (self._said - parts) | now_open
