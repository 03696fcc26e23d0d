"""Asks the boards of one line in turn and switches their strikes, one request at a time."""

from collections.abc import Sequence
from dataclasses import dataclass

from agreed.machine import NS_PER_MS, Moment
from firmware_interfaces.garbage import Garbage
from firmware_interfaces.modbus.codec import (
    READ_INPUTS,
    WRITE_COIL,
    Reply,
    ReplyReader,
    read_inputs,
    write_coil,
)
from firmware_interfaces.modbus.settings import ModbusDoor, ModbusLine
from firmware_interfaces.observations import Admit, Command, Observation, Seen
from firmware_interfaces.presence import refused
from firmware_interfaces.wired_door import Door

POLL_MS = 50
POLL_LOST_MS = 1_000
REPLY_MS_MAX = 200
GAP_MS = 5  # 3.5 characters of silence part frames: 4 ms at 9,600 baud
MISSES_COUNT_MAX = 5
CLASHES_COUNT = 3  # second answers to one question that show two boards with one number


@dataclass(slots=True)
class _Board:
    unit: int
    doors: list[Door]
    inputs_count: int
    due_ns: int = 0
    misses_count: int = 0
    clashes_count: int = 0
    is_lost: bool = False


class ModbusMachine:
    """The boards of one line."""

    def __init__(self, settings: ModbusLine) -> None:
        self._doors = {door.name: Door(door) for door in settings.devices}
        units = sorted({door.unit for door in settings.devices})
        self._boards = [self._board(unit, settings.devices) for unit in units]
        self._board_of = {door.settings.name: b for b in self._boards for door in b.doors}
        self._reader = ReplyReader()
        self._garbage = Garbage()
        self._outgoing = bytearray()
        self._asked: _Board | None = None
        self._written: Door | None = None  # whose strike the request is about; None for a read
        self._answerer: _Board | None = None  # who answered last, until somebody else is asked
        self._wait_ns = 0
        self._is_open = False

    def _board(self, unit: int, tables: Sequence[ModbusDoor]) -> _Board:
        own = [door for door in tables if door.unit == unit]
        doors = [self._doors[door.name] for door in own]
        return _Board(unit, doors, max(door.inputs_count() for door in own))

    def line_opened(self, now: Moment) -> list[Observation]:
        """Let every strike go, then begin asking."""
        self._is_open = True
        self._reader.reset()
        self._garbage.line_opened()
        self._outgoing.clear()
        self._asked = None
        self._wait_ns = now.mono_ns
        for board in self._boards:
            board.due_ns = now.mono_ns
            board.clashes_count = 0
            for door in board.doors:
                door.begin()
        self._next(now)
        return []

    def line_lost(self, now: Moment) -> list[Observation]:
        """Every door is lost, and every admission refused."""
        self._is_open = False
        return [said for door in self._doors.values() for said in door.gone(now, "port")]

    def command(self, command: Command, now: Moment) -> list[Observation]:
        """Let somebody through a door."""
        door = self._doors.get(command.device)
        if door is None or not isinstance(command, Admit):
            return [refused(command.device, now, "not a command for this device")]
        if not door.presence.is_back:
            return [refused(command.device, now, "lost")]
        said = door.admit(command.open_ms, now)
        self._next(now)
        return said

    def bytes_received(self, data: bytes, now: Moment) -> list[Observation]:
        """Take in what arrived on the line."""
        said = []
        replies = self._reader.feed(data)
        self._garbage.heard(data, is_understood=bool(replies))
        for reply in replies:
            if self._is_answer(reply):
                said += self._answered(reply, now)
            elif self._answerer is not None and reply.unit == self._answerer.unit:
                said += self._answered_twice(self._answerer, now)
        if self._is_open:
            self._next(now)
        return said

    def _is_answer(self, reply: Reply) -> bool:
        if self._asked is None or reply.unit != self._asked.unit:
            return False
        if self._written is None:
            return reply.function == READ_INPUTS
        if reply.function != WRITE_COIL or reply.refusal:
            return reply.function == WRITE_COIL
        strike, is_on = self._written.settings.strike, bool(self._written.wanted)
        return (reply.coil, reply.is_on) == (strike, is_on)

    def _answered(self, reply: Reply, now: Moment) -> list[Observation]:
        assert self._asked is not None
        board, door = self._asked, self._written
        self._asked = self._written = None
        self._answerer = board
        self._wait_ns = now.mono_ns + GAP_MS * NS_PER_MS
        board.misses_count = 0
        board.is_lost = False
        if door is not None and reply.refusal:
            return door.not_written(now, f"board refuses ({reply.refusal})")
        if door is not None:
            return door.written(now)
        board.due_ns = now.mono_ns + POLL_MS * NS_PER_MS
        if reply.refusal:
            return [s for d in board.doors for s in d.presence.lost(now, "no such inputs")]
        return [said for one in board.doors for said in one.heard(reply.input_at, now)]

    def _answered_twice(self, board: _Board, now: Moment) -> list[Observation]:
        """Say once that one question has two answers: two boards have one number."""
        board.clashes_count += 1
        if board.clashes_count != CLASHES_COUNT:
            return []
        reason = f"unit {board.unit}"
        doors = [door.settings.name for door in board.doors]
        return [Observation(name, Seen.CLASHED, now, value=reason) for name in doors]

    def time_passed(self, now: Moment) -> list[Observation]:
        """Give up on an answer that does not come, and do what is due."""
        if not self._is_open:
            return []
        said = [one for door in self._doors.values() for one in door.time_passed(now)]
        if now.mono_ns < self._wait_ns:
            return said
        if self._asked is not None:
            said += self._silence(self._asked, self._written, now)
        self._next(now)
        return said

    def _silence(self, board: _Board, door: Door | None, now: Moment) -> list[Observation]:
        self._asked = self._written = None
        board.misses_count += 1
        said = door.not_written(now, "board is silent") if door is not None else []
        if board.misses_count >= MISSES_COUNT_MAX:
            board.is_lost = True
            reason = self._garbage.reason(f"unit {board.unit}")
            said += [s for one in board.doors for s in one.gone(now, reason)]
        wait_ms = POLL_LOST_MS if board.is_lost else POLL_MS
        board.due_ns = now.mono_ns + wait_ms * NS_PER_MS
        return said

    def _next(self, now: Moment) -> None:
        """Send the one thing that is most due, if the line is free."""
        if self._asked is not None or now.mono_ns < self._wait_ns:
            return
        for door in self._doors.values():
            board = self._board_of[door.settings.name]
            is_due = not board.is_lost or board.due_ns <= now.mono_ns
            if door.wanted is not None and door.settings.strike is not None and is_due:
                request = write_coil(board.unit, door.settings.strike, is_on=door.wanted)
                self._ask(board, door, request, now)
                return
        board = min(self._boards, key=lambda one: one.due_ns)
        if board.due_ns <= now.mono_ns:
            self._ask(board, None, read_inputs(board.unit, board.inputs_count), now)

    def _ask(self, board: _Board, door: Door | None, request: bytes, now: Moment) -> None:
        self._asked, self._written, self._answerer = board, door, None
        self._reader.reset()
        self._outgoing += request
        self._wait_ns = now.mono_ns + REPLY_MS_MAX * NS_PER_MS

    def bytes_to_send(self) -> bytes:
        """Hand over the request, if there is one."""
        data = bytes(self._outgoing)
        self._garbage.sent(data)
        self._outgoing.clear()
        return data

    def deadline_ns(self) -> int | None:
        """When an answer is overdue, a board is due or a strike is to be let go."""
        if not self._is_open:
            return None
        doors = [ns for door in self._doors.values() for ns in door.deadlines_ns()]
        if self._asked is not None:
            return min(self._wait_ns, *doors) if doors else self._wait_ns
        due = [board.due_ns for board in self._boards]
        due += [self._wait_ns for door in self._doors.values() if door.wanted is not None]
        return min(max(self._wait_ns, min(due)), *doors) if doors else max(self._wait_ns, min(due))
