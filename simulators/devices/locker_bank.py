"""A bank of compartments behind locker boards, and the person in front of it."""

import asyncio
from collections import Counter

from firmware_interfaces.observations import Seen
from simulators.devices.far_device import FarDevice
from simulators.devices.locker_boards import EVERY_LOCK, OPEN, TONGUES, Request, wkly_moved

WAIT_S_MAX = 10.0
HEARD_BYTES_MAX = 64


class LockerBank(FarDevice):
    """Compartments 1 to `compartments`; all doors begin closed and locked."""

    def __init__(
        self,
        name: str,
        *,
        compartments: int = 24,
        address: int = 0,
        hook_when_locked: int = 1,
        kind: str = "locker_cu16",
    ) -> None:
        super().__init__(name)
        self._kind = kind
        self._tongue = TONGUES[kind]
        self._locks_count = self._tongue.locks_count
        self.compartments = compartments
        self._board_first = address
        self._hook_when_locked = hook_when_locked
        self._open: set[int] = set()
        self._jammed: set[int] = set()
        self._silent: set[int] = set()
        self._said: set[int] = set()
        self._heard = bytearray()
        self._moved = asyncio.Event()
        self._answers: Counter[int] = Counter()

    def answers_about(self, part: int) -> int:
        """Count the answers of a compartment's board that crossed the wire."""
        return self._answers[(part - 1) // self._locks_count + self._board_first]

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
        if part in self._open:
            self._open.discard(part)
            self._tell_moved(part, is_open=False)

    def force(self, part: int) -> None:
        """Open the door without being told by the box (a crowbar, or the key)."""
        self._open.add(part)
        self._moved.set()
        self._tell_moved(part, is_open=True)

    def _tell_moved(self, part: int, *, is_open: bool) -> None:
        board, lock = divmod(part - 1, self._locks_count)
        if self._kind == "locker_wkly" and board + self._board_first not in self._silent:
            self.send(wkly_moved(board + self._board_first, lock, is_open=is_open))

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
        while self._heard:
            request, length = self._request()
            if request is not None:
                self._obey(request)
            elif len(self._heard) < max(self._tongue.request_bytes):
                break
            del self._heard[: length or 1]

    def _request(self) -> tuple[Request | None, int]:
        for length in self._tongue.request_bytes:
            if len(self._heard) >= length:
                request = self._tongue.understand(bytes(self._heard[:length]))
                if request is not None:
                    return request, length
        return None, 0

    def _obey(self, request: Request) -> None:
        board = request.board
        first_part = (board - self._board_first) * self._locks_count + 1
        if not 1 <= first_part <= self.compartments or board in self._silent:
            return
        if request.act == OPEN:
            self._obey_open(board, request.lock, first_part + request.lock)
        else:
            self._say_status(board, first_part, request.lock)

    def _obey_open(self, board: int, lock: int, part: int) -> None:
        if part in self._jammed:
            return
        answer = self._tongue.opened(board, lock)
        if answer:
            self.send(answer)
        self.force(part)

    def _say_status(self, board: int, first_part: int, lock: int) -> None:
        every_part = range(first_part, first_part + self._locks_count)
        parts = set(every_part) if lock == EVERY_LOCK else {first_part + lock}
        now_open = {part for part in parts if part in self._open}
        closed = sum(1 << (part - first_part) for part in every_part if part not in self._open)
        if self._hook_when_locked == 0:
            closed ^= (1 << self._locks_count) - 1
        reply = self._tongue.status(board, closed, lock)

        def crossed(data: bytes) -> None:
            if data == reply:
                self._answers[board] += 1
                self._emit_changes(parts, now_open)

        self.send(reply, crossed)

    def _emit_changes(self, parts: set[int], now_open: set[int]) -> None:
        before = self._said & parts
        for part in sorted(now_open ^ before):
            seen = Seen.DOOR_OPENED if part in now_open else Seen.DOOR_CLOSED
            self.emit(seen, part=part)
        self._said = (self._said - parts) | now_open
