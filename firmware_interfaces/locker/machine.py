"""Asks the boards of one line in turn, opens compartments and proves that they opened.

One request is under way at a time, because the line is half duplex. `open` is sent again after
OPEN_WAIT_MS, at most ATTEMPTS_COUNT_MAX times; only a status decides whether the door moved.
"""

from collections import deque
from dataclasses import dataclass

from agreed.machine import NS_PER_MS, Moment
from firmware_interfaces.doors import DoorWatch
from firmware_interfaces.garbage import Garbage
from firmware_interfaces.locker.board import Board
from firmware_interfaces.locker.codec import BoardStatus, StatusReader
from firmware_interfaces.locker.kinds import BoardKind
from firmware_interfaces.locker.settings import LockerBank, LockerLine
from firmware_interfaces.observations import Command, Observation, OpenCompartment, Seen
from firmware_interfaces.presence import Presence, refused

POLL_MS = 200  # a board is asked this often
POLL_LOST_MS = 1_000  # a silent one this often
POLL_BUSY_MS = 40  # and one whose door is being opened this often
REPLY_MS_MAX = 150
GAP_MS = 10  # between an answer and the next request
OPEN_WAIT_MS = 1_200
ALLOWED_MS = 10_000  # a door told to open may be pulled open so much later
ATTEMPTS_COUNT_MAX = 3
JOBS_COUNT_MAX = 64  # compartments waiting to be opened


class Bank:
    """One bank: its name, whether it answers, its boards."""

    def __init__(self, settings: LockerBank, kind: BoardKind) -> None:
        self.name = settings.name
        self.compartments = settings.compartments
        self.presence = Presence(settings.name)
        self.doors = [
            DoorWatch(self.name, part, held_s=settings.held_s, says_forced=settings.says_forced)
            for part in range(1, settings.compartments + 1)
        ]
        self._watches_time = settings.held_s > 0
        self._locks_count = locks_count = settings.locks_of(kind.locks_count)
        self.boards = [
            Board(
                number,
                part_first=1 + index * locks_count,
                locks_count=min(settings.compartments - index * locks_count, locks_count),
                locked_bit=settings.hook_when_locked,
                questions_count=kind.questions_count,
            )
            for index, number in enumerate(settings.boards(kind.locks_count))
        ]

    def board_of(self, part: int) -> Board:
        """The board that a compartment is wired to."""
        return self.boards[(part - 1) // self._locks_count]

    def forget(self, board: Board) -> None:
        """Know nothing of the doors of one board any more."""
        first = board.part_first - 1
        for door in self.doors[first : first + self._locks_count]:
            door.forget()

    def time_passed(self, now: Moment) -> list[Observation]:
        """Say which doors stand open for too long."""
        if not self._watches_time:
            return []
        return [said for door in self.doors for said in door.time_passed(now)]

    def deadline_ns(self) -> int | None:
        """When the next door has stood open for too long."""
        if not self._watches_time:
            return None
        deadlines = (door.deadline_ns() for door in self.doors)
        return min((ns for ns in deadlines if ns is not None), default=None)


@dataclass(slots=True)
class _Job:
    bank: Bank
    board: Board
    part: int
    attempts_count: int = 0
    retry_ns: int = 0


class LockerMachine:
    """The boards of one line, all of one kind."""

    def __init__(self, settings: LockerLine) -> None:
        self._kind = settings.kind
        self._banks = {bank.name: Bank(bank, self._kind) for bank in settings.devices}
        self._boards = [(bank, board) for bank in self._banks.values() for board in bank.boards]
        self._reader = StatusReader(self._kind.replies)
        self._garbage = Garbage()
        self._jobs: deque[_Job] = deque()
        self._outgoing = bytearray()
        self._asked: tuple[Bank, Board] | None = None
        self._wait_ns = 0  # until when the answer, or silence, is waited for
        self._is_open = False

    def line_opened(self, now: Moment) -> list[Observation]:
        """Begin asking."""
        self._is_open = True
        self._reader = StatusReader(self._kind.replies)
        self._garbage.line_opened()
        self._outgoing.clear()
        self._asked = None
        self._wait_ns = now.mono_ns
        for _, board in self._boards:
            board.due_ns = now.mono_ns
        self._next(now)
        return []

    def line_lost(self, now: Moment) -> list[Observation]:
        """Every bank is lost, and every job refused."""
        self._is_open = False
        said = [refused(job.bank.name, now, "lost", job.part) for job in self._jobs]
        self._jobs.clear()
        for bank, board in self._boards:
            board.forget()
            bank.forget(board)
            said += bank.presence.lost(now, "port")
        return said

    def command(self, command: Command, now: Moment) -> list[Observation]:
        """Queue a compartment to be opened."""
        reason = self._refusal(command)
        part = command.part if isinstance(command, OpenCompartment) else 0
        if reason:
            return [refused(command.device, now, reason, part)]
        bank = self._banks[command.device]
        self._jobs.append(_Job(bank, bank.board_of(part), part))
        if self._asked is None:
            self._next(now)
        return []

    def _refusal(self, command: Command) -> str:
        bank = self._banks.get(command.device)
        if bank is None or not isinstance(command, OpenCompartment):
            return "not a command for this device"
        if not 1 <= command.part <= bank.compartments:
            return "no such compartment"
        if not self._is_open or bank.board_of(command.part).open_mask is None:
            return "lost"
        return "busy" if len(self._jobs) >= JOBS_COUNT_MAX else ""

    def bytes_received(self, data: bytes, now: Moment) -> list[Observation]:
        """Take in what arrived on the line."""
        said = []
        statuses = self._reader.feed(data)
        self._garbage.heard(data, is_understood=bool(statuses))
        for status in statuses:
            if self._asked is not None and self._asked[1].answers(status):
                bank, board = self._asked
                self._asked = None
                said += self._status(bank, board, status, now)
            elif status.is_unasked:
                self._ask_soon(status.board, now)
        if self._asked is None and self._is_open:
            said += self._work(now)
        return said

    def _ask_soon(self, number: int, now: Moment) -> None:
        """A door moved, the board says: one sum byte is a weak witness, so it is asked."""
        for _, board in self._boards:
            if board.number == number and not board.is_lost:
                board.due_ns = min(board.due_ns, now.mono_ns)

    def _status(
        self, bank: Bank, board: Board, status: BoardStatus, now: Moment
    ) -> list[Observation]:
        self._wait_ns = now.mono_ns + GAP_MS * NS_PER_MS
        is_news = board.open_mask is not None
        doors = board.heard(status)
        if doors is None:
            board.due_ns = now.mono_ns
            return []
        is_whole = board.question == 0 or self._is_busy(board)
        board.due_ns = now.mono_ns + (self._poll_ms(board) * NS_PER_MS if is_whole else 0)
        said = []
        if not any(other.open_mask is None for other in bank.boards):
            said += bank.presence.back(now)
        for part, is_open in doors:
            door = bank.doors[part - 1]
            said += door.opened(now, is_news=is_news) if is_open else door.closed(now)
        return said + self._job_done(doors, board, now)

    def _job_done(
        self, doors: list[tuple[int, bool]], board: Board, now: Moment
    ) -> list[Observation]:
        """Finish the job whose door now stands open; say so unless `doors` just did."""
        job = self._jobs[0] if self._jobs else None
        if job is None or job.board is not board or not board.is_open(job.part):
            return []
        self._jobs.popleft()
        if (job.part, True) in doors:
            return []
        return [Observation(job.bank.name, Seen.DOOR_OPENED, now, part=job.part)]

    def _is_busy(self, board: Board) -> bool:
        return bool(self._jobs) and self._jobs[0].board is board

    def _poll_ms(self, board: Board) -> int:
        if board.is_lost:
            return POLL_LOST_MS
        return POLL_BUSY_MS if self._is_busy(board) else POLL_MS

    def time_passed(self, now: Moment) -> list[Observation]:
        """Give up on an answer that does not come, and ask whoever is due."""
        if not self._is_open:
            return []
        said = [one for bank in self._banks.values() for one in bank.time_passed(now)]
        if now.mono_ns < self._wait_ns:
            return said
        if self._asked is not None:
            bank, board = self._asked
            self._asked = None
            said += self._silence(bank, board, now)
        return said + self._work(now)

    def _silence(self, bank: Bank, board: Board, now: Moment) -> list[Observation]:
        said = []
        if board.missed():
            bank.forget(board)
            reason = self._garbage.reason(f"board {board.number}")
            said += bank.presence.lost(now, reason)
        board.due_ns = now.mono_ns + self._poll_ms(board) * NS_PER_MS
        return said

    def _work(self, now: Moment) -> list[Observation]:
        said = self._drop_job(now)
        self._next(now)
        return said

    def _drop_job(self, now: Moment) -> list[Observation]:
        """Give up on a job that had its attempts, or whose board fell silent."""
        job = self._jobs[0] if self._jobs else None
        if job is None:
            return []
        if job.board.open_mask is None:
            self._jobs.popleft()
            return [refused(job.bank.name, now, "lost", job.part)]
        if job.attempts_count >= ATTEMPTS_COUNT_MAX and now.mono_ns >= job.retry_ns:
            self._jobs.popleft()
            return [Observation(job.bank.name, Seen.DOOR_STUCK, now, part=job.part)]
        return []

    def _next(self, now: Moment) -> None:
        """Send the one thing that is most due, if the line is free."""
        if self._asked is not None or now.mono_ns < self._wait_ns:
            return
        job = self._jobs[0] if self._jobs else None
        if job is not None and self._wants_opening(job, now):
            self._send_open(job, now)
            return
        bank, board = min(self._boards, key=lambda pair: pair[1].due_ns)
        if board.due_ns <= now.mono_ns:
            self._asked = (bank, board)
            if self._is_busy(board):
                board.ask_about(self._jobs[0].part)
            self._outgoing += self._kind.ask_status(board.number, board.question)
            self._wait_ns = now.mono_ns + REPLY_MS_MAX * NS_PER_MS

    def _wants_opening(self, job: _Job, now: Moment) -> bool:
        if job.attempts_count == 0 and job.board.is_open(job.part):
            job.board.due_ns = min(job.board.due_ns, now.mono_ns)
            return False
        return job.attempts_count < ATTEMPTS_COUNT_MAX and now.mono_ns >= job.retry_ns

    def _send_open(self, job: _Job, now: Moment) -> None:
        job.attempts_count += 1
        job.retry_ns = now.mono_ns + OPEN_WAIT_MS * NS_PER_MS
        job.bank.doors[job.part - 1].allow(now.mono_ns + ALLOWED_MS * NS_PER_MS)
        self._outgoing += self._kind.open_lock(job.board.number, job.part - job.board.part_first)
        self._wait_ns = now.mono_ns + self._kind.settle_ms * NS_PER_MS
        job.board.due_ns = self._wait_ns

    def bytes_to_send(self) -> bytes:
        """Hand over the request, if there is one."""
        data = bytes(self._outgoing)
        self._garbage.sent(data)
        self._outgoing.clear()
        return data

    def deadline_ns(self) -> int | None:
        """When an answer is overdue, a board is due or a job is to be tried again."""
        if not self._is_open:
            return None
        held_ns = [ns for bank in self._banks.values() if (ns := bank.deadline_ns()) is not None]
        return min(self._line_ns(), *held_ns) if held_ns else self._line_ns()

    def _line_ns(self) -> int:
        if self._asked is not None:
            return self._wait_ns
        wanted_ns = min(board.due_ns for _, board in self._boards)
        if self._jobs:
            wanted_ns = min(wanted_ns, self._jobs[0].retry_ns)
        return max(self._wait_ns, wanted_ns)
