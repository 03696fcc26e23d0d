"""What is known of one board: which doors stand open, and whether it still answers."""

from firmware_interfaces.locker.codec import LOCKS_PER_BOARD, BoardStatus

MISSES_COUNT_MAX = 5  # requests without an answer, in a row, before a board is lost


class Board:
    """One board of a bank; doors are bits, lock 1 lowest, 1 = stands open.

    Attributes:
        number: 0 to 15.
        part_first: compartment number of its lock 1.
        open_mask: doors standing open, as last said; None until a first status.
        is_lost: whether it is silent.
        due_ns: when it wants to be asked next, `Moment.mono_ns`.
    """

    def __init__(self, number: int, part_first: int, locks_count: int, locked_bit: int) -> None:
        self.number = number
        self.part_first = part_first
        self.open_mask: int | None = None
        self.is_lost = False
        self.due_ns = 0
        self._wired_mask = (1 << locks_count) - 1
        self._locked_bit = locked_bit
        self._before_mask = 0
        self._unproven_mask: int | None = None
        self._misses_count = 0

    def heard(self, status: BoardStatus) -> list[tuple[int, bool]] | None:
        """Take in a status; gives (part, is_open) for each door to speak of.

        A new picture counts when two statuses in a row show it, because one sum byte is a
        weak witness. None means: ask again at once.
        """
        hooks = status.hooks if self._locked_bit == 0 else ~status.hooks
        open_mask = hooks & self._wired_mask
        self._misses_count = 0
        if open_mask == self.open_mask:
            self._unproven_mask = None
            return []
        if open_mask != self._unproven_mask:
            self._unproven_mask = open_mask
            return None
        return self._accept(open_mask)

    def _accept(self, open_mask: int) -> list[tuple[int, bool]]:
        if self.open_mask is None:
            changed = open_mask | self._before_mask
        else:
            changed = open_mask ^ self.open_mask
        self.open_mask = open_mask
        self._unproven_mask = None
        self.is_lost = False
        return [
            (self.part_first + lock, bool(open_mask >> lock & 1))
            for lock in range(LOCKS_PER_BOARD)
            if changed >> lock & 1
        ]

    def missed(self) -> bool:
        """Count an unanswered request; True when that makes the board lost."""
        self._misses_count += 1
        if self.is_lost or self._misses_count < MISSES_COUNT_MAX:
            return False
        self.forget()
        return True

    def forget(self) -> None:
        """Become lost: what is known of the doors has to be seen again."""
        self.is_lost = True
        self._misses_count = 0
        self._unproven_mask = None
        if self.open_mask is not None:
            self._before_mask = self.open_mask
        self.open_mask = None

    def is_open(self, part: int) -> bool:
        """Whether the door of a compartment of this board stands open, as last said."""
        return self.open_mask is not None and bool(self.open_mask >> (part - self.part_first) & 1)
