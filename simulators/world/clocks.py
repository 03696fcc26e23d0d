"""A box's clocks as they are in truth: a crystal that drifts, a wall clock that somebody moves."""

from random import Random
from typing import Final

from agreed.machine import NS_PER_MS, Moment
from agreed.timex import Discipline

ZERO_WALL_MS: Final = 1_800_000_000_000
"""The true wall clock when a world begins, ms."""

ERROR_US_MAX: Final = 2_000
STEPS_S: Final = (0.5, 2.0, 90.0, 8 * 3_600.0)


def true_wall_ms(now_ns: int) -> int:
    """Give the true wall clock at a virtual time."""
    return ZERO_WALL_MS + now_ns // NS_PER_MS


class Crystal:
    """What the machine of one box reads when it asks the time.

    Attributes:
        is_steered: a time source corrects the wall clock.
        machine_boot: id of the machine's boot.
    """

    def __init__(self, dice: Random, drift_ppm_max: int) -> None:
        self.is_steered = True
        self.machine_boot = "boot-1"
        self._ppm = dice.randint(-drift_ppm_max, drift_ppm_max)
        self._error_ns = dice.randint(-1_000_000, 1_000_000)
        self._boots = 1
        self._booted_ns = 0
        self._free_since_ns = 0
        self._free_wall_ns = 0

    def moment(self, now_ns: int) -> Moment:
        """Read both clocks."""
        return Moment(self._wall_ns(now_ns), self.mono_ns(now_ns))

    def mono_ns(self, now_ns: int) -> int:
        """Read the clock of this boot."""
        return self._drifted(now_ns - self._booted_ns)

    def virtual_ns(self, mono_ns: int) -> int:
        """Say when the clock of this boot will read at least that."""
        return self._booted_ns + mono_ns * 1_000_000 // (1_000_000 + self._ppm) + NS_PER_MS

    def discipline(self) -> Discipline:
        """Say what the kernel says of its clock."""
        return Discipline(self.is_steered, ERROR_US_MAX)

    def step(self, now_ns: int, dice: Random) -> None:
        """Let somebody move the wall clock."""
        moved_s = dice.choice(STEPS_S) * dice.uniform(-1, 1)
        self.move(now_ns, int(moved_s * 1_000))

    def move(self, now_ns: int, moved_ms: int) -> None:
        """Move the wall clock so far; no time source corrects it until it is steered again."""
        self._run_freely(now_ns, self._wall_ns(now_ns) + moved_ms * NS_PER_MS)

    def lose_source(self, now_ns: int) -> None:
        """Let the wall clock run on without a time source."""
        self._run_freely(now_ns, self._wall_ns(now_ns))

    def steer(self) -> None:
        """Let a time source correct the wall clock."""
        self.is_steered = True

    def power_cut(self, now_ns: int, dice: Random) -> None:
        """Begin a new boot; without a battery the wall clock begins in 1970."""
        self._boots += 1
        self.machine_boot = f"boot-{self._boots}"
        has_battery = dice.random() < 0.5
        self._run_freely(now_ns, self._wall_ns(now_ns) if has_battery else 0)
        self._booted_ns = now_ns

    def _run_freely(self, now_ns: int, wall_ns: int) -> None:
        self.is_steered = False
        self._free_since_ns, self._free_wall_ns = now_ns, wall_ns

    def _wall_ns(self, now_ns: int) -> int:
        if self.is_steered:
            return ZERO_WALL_MS * NS_PER_MS + now_ns + self._error_ns
        return self._free_wall_ns + self._drifted(now_ns - self._free_since_ns)

    def _drifted(self, span_ns: int) -> int:
        return span_ns + span_ns * self._ppm // 1_000_000
