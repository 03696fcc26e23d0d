"""What is known of one board: which doors stand open, and whether it still answers."""

from firmware_interfaces.locker.codec import BoardStatus

MISSES_COUNT_MAX = 5  # requests without an answer, in a row, before a board is lost


class Board:
    """One board of a bank; doors are bits, lock 1 lowest, 1 = stands open.

    Attributes:
        number: as set by its switches.
        part_first: compartment number of its lock 1.
        is_lost: whether it is silent.
        due_ns: when it wants to be asked next, `Moment.mono_ns`.
        question: which question comes next, 0 to `questions_count` - 1.
    """

    def __init__(
        self,
        number: int,
        part_first: int,
        locks_count: int,
        locked_bit: int,
        questions_count: int = 1,
    ) -> None:
        self.number = number
        self.part_first = part_first
        self.is_lost = False
        self.due_ns = 0
        self.question = 0
        self._questions_count = min(questions_count, locks_count)
        self._locks_count = locks_count
        self._locked_bit = locked_bit
        self._open_mask = 0
        self._known_mask = 0
        self._before_mask = 0
        self._unproven: tuple[int, int] | None = None
        self._misses_count = 0

    @property
    def open_mask(self) -> int | None:
        """Doors standing open, as last said; None until every lock was told of."""
        return self._open_mask if self._known_mask == self._wired_mask else None

    @property
    def _wired_mask(self) -> int:
        return (1 << self._locks_count) - 1

    def answers(self, status: BoardStatus) -> bool:
        """Whether a status is the answer to the question that was asked."""
        if status.board != self.number or status.is_unasked:
            return False
        return self._questions_count == 1 or status.told == 1 << self.question

    def heard(self, status: BoardStatus) -> list[tuple[int, bool]] | None:
        """Take in an answer; gives (part, is_open) for each door to speak of.

        A new picture counts when two answers in a row show it, because one sum byte is a
        weak witness. None means: ask the same again at once.
        """
        hooks = status.hooks if self._locked_bit == 0 else ~status.hooks
        told = status.told & self._wired_mask
        open_mask = hooks & told
        self._misses_count = 0
        if not told & ~self._known_mask and open_mask == self._open_mask & told:
            self._unproven = None
            self._ask_next()
            return []
        if (told, open_mask) != self._unproven:
            self._unproven = told, open_mask
            return None
        return self._accept(told, open_mask)

    def _accept(self, told: int, open_mask: int) -> list[tuple[int, bool]]:
        fresh = told & ~self._known_mask
        changed = (open_mask ^ self._open_mask) & told & self._known_mask
        changed |= (open_mask | self._before_mask) & fresh
        self._open_mask = self._open_mask & ~told | open_mask
        self._known_mask |= told
        self._unproven = None
        self.is_lost = False
        self._ask_next()
        return [
            (self.part_first + lock, bool(open_mask >> lock & 1))
            for lock in range(self._locks_count)
            if changed >> lock & 1
        ]

    def _ask_next(self) -> None:
        self.question = (self.question + 1) % self._questions_count

    def ask_about(self, part: int) -> None:
        """Ask about one lock next, where every lock has a question of its own."""
        self.question = (part - self.part_first) % self._questions_count

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
        self.question = 0
        self._misses_count = 0
        self._unproven = None
        self._before_mask = self._before_mask & ~self._known_mask | self._open_mask
        self._open_mask = self._known_mask = 0

    def is_open(self, part: int) -> bool:
        """Whether the door of a compartment of this board stands open, as last said."""
        return bool(self._open_mask >> (part - self.part_first) & 1)
