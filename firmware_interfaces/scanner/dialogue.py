"""Asks a scanner one thing at a time: its settings at the start, then whether it is there."""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from agreed.machine import NS_PER_MS, Moment

REPLY_MS_MAX: Final = 500
ATTEMPTS_COUNT_MAX: Final = 3
ASK_MS: Final = 5_000  # a scanner that said nothing for so long is asked whether it is there
ASK_LOST_MS: Final = 2_000


@dataclass(frozen=True, slots=True)
class Reply:
    """What a scanner answers; `data` is as the protocol carries it."""

    data: bytes


@dataclass(frozen=True, slots=True)
class Step:
    """One question.

    Attributes:
        name: for the technician, when the scanner does not do it.
        request: the bytes.
        wanted: what the answer must carry; None when any answer will do.
    """

    name: str
    request: bytes
    wanted: bytes | None = None


class Dialogue:
    """Decides what to ask next.

    Attributes:
        is_answered: whether the scanner answers, as far as is known.
        is_silent: whether it was asked often enough and did not.
        failed: names of steps that the scanner did not do, since last taken.
    """

    def __init__(self, steps: Sequence[Step], heartbeat: Step | None) -> None:
        self.is_answered = False
        self.is_silent = False
        self.failed: list[str] = []
        self._steps = tuple(steps)
        self._heartbeat = heartbeat
        self._left: deque[Step] = deque()
        self._asked: Step | None = None
        self._attempts_count = 0
        self._due_ns: int | None = None
        self._outgoing = bytearray()

    def start(self, now: Moment) -> None:
        """Begin from the first step."""
        self.stop()
        self.is_silent = False
        self._left = deque(self._steps)
        self._ask_next(now)

    def stop(self) -> None:
        """Ask nothing any more."""
        self.is_answered = False
        self._left.clear()
        self._asked = None
        self._due_ns = None
        self._outgoing.clear()
        self.failed.clear()

    def heard(self, reply: Reply | None, now: Moment) -> None:
        """Take in an answer, or None: something else that shows that the scanner is there."""
        self.is_answered = True
        self.is_silent = False
        asked = self._asked
        if reply is None or asked is None:
            if asked is None and self._heartbeat is not None and self._due_ns is not None:
                self._due_ns = now.mono_ns + ASK_MS * NS_PER_MS
            return
        if asked.wanted is None or reply.data == asked.wanted:
            self._ask_next(now)
        else:
            self._try_again(asked, now)

    def time_passed(self, now: Moment) -> None:
        """Ask again, or ask what is due."""
        if self._due_ns is None or now.mono_ns < self._due_ns:
            return
        if self._asked is None:
            self._ask_next(now)
        else:
            self._missed(self._asked, now)

    def _missed(self, asked: Step, now: Moment) -> None:
        if self._attempts_count < ATTEMPTS_COUNT_MAX:
            self._send(asked, now)
            return
        self.is_answered = False
        self.is_silent = True
        self._left = deque(self._steps)  # a scanner that lost its power lost what it was told
        self._asked = None
        self._due_ns = now.mono_ns + ASK_LOST_MS * NS_PER_MS

    def _try_again(self, asked: Step, now: Moment) -> None:
        if self._attempts_count < ATTEMPTS_COUNT_MAX:
            self._send(asked, now)
        else:
            self.failed.append(asked.name)
            self._ask_next(now)

    def _ask_next(self, now: Moment) -> None:
        self._attempts_count = 0
        if self._left:
            self._send(self._left.popleft(), now)
        elif self._heartbeat is None:
            self._asked = self._due_ns = None
        elif self._asked is None or not self.is_answered:
            self._send(self._heartbeat, now)
        else:
            self._asked = None
            self._due_ns = now.mono_ns + ASK_MS * NS_PER_MS

    def _send(self, step: Step, now: Moment) -> None:
        self._asked = step
        self._attempts_count += 1
        self._outgoing += step.request
        self._due_ns = now.mono_ns + REPLY_MS_MAX * NS_PER_MS

    def bytes_to_send(self) -> bytes:
        """Hand over the question, if there is one."""
        data = bytes(self._outgoing)
        self._outgoing.clear()
        return data

    def deadline_ns(self) -> int | None:
        """When something is due."""
        return self._due_ns
