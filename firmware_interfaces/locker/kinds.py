"""The table of locker boards: how each is asked, how many locks it has, how fast it is."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from firmware_interfaces.locker import codec


@dataclass(frozen=True, slots=True)
class BoardKind:
    """One kind of board.

    Attributes:
        locks_count: of one board.
        numbers: that its switches can set.
        baud: as it leaves the factory.
        questions_count: how many questions give the whole picture of a board.
        ask_status: the question for a board's number; the second argument is which question.
        open_lock: tells lock 0 and up of a board to open.
        replies: how its statuses are found.
        settle_ms: how long the line is left alone after `open_lock`.
    """

    locks_count: int
    numbers: range
    baud: int
    questions_count: int
    ask_status: Callable[[int, int], bytes]
    open_lock: Callable[[int, int], bytes]
    replies: codec.Replies
    settle_ms: int = 40


KINDS: Final = {
    "locker_cu16": BoardKind(
        locks_count=16,
        numbers=range(16),
        baud=19_200,
        questions_count=1,
        ask_status=lambda board, _: codec.ask_status(board),
        open_lock=codec.open_lock,
        replies=codec.CU16_REPLIES,
    ),
    "locker_cu48": BoardKind(
        locks_count=48,
        numbers=range(16),
        baud=19_200,
        questions_count=1,
        ask_status=lambda board, _: codec.cu48_frame(board, 0, 0x60),
        open_lock=lambda board, lock: codec.cu48_frame(board, lock, 0x61),
        replies=codec.CU48_REPLIES,
    ),
    "locker_xor": BoardKind(
        locks_count=24,
        numbers=range(1, 32),
        baud=9_600,
        questions_count=1,
        ask_status=lambda board, _: codec.xor_frame(0x80, board, 0, 0x33),
        open_lock=lambda board, lock: codec.xor_frame(0x8A, board, lock + 1, 0x11),
        replies=codec.XOR_REPLIES,
        settle_ms=60,
    ),
    "locker_wkly": BoardKind(
        locks_count=24,
        numbers=range(32),
        baud=9_600,
        questions_count=1,
        ask_status=lambda board, _: codec.wkly_frame(board, 0x84),
        open_lock=lambda board, lock: codec.wkly_frame(board, 0x82, bytes([lock + 1])),
        replies=codec.WKLY_REPLIES,
        settle_ms=60,
    ),
    "locker_winnsen": BoardKind(
        locks_count=16,
        numbers=range(16),
        baud=9_600,
        questions_count=16,
        ask_status=lambda board, question: codec.winnsen_frame(board, question + 1, 0x12),
        open_lock=lambda board, lock: codec.winnsen_frame(board, lock + 1, 0x05),
        replies=codec.WINNSEN_REPLIES,
        settle_ms=60,
    ),
}
