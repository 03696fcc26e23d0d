"""Which codes count that crossed a wire without a check of its own."""

from typing import Final, Literal

from agreed.codes import is_whole
from agreed.machine import NS_PER_S, Moment

Trusted = Literal["checked", "twice", "any"]

AGAIN_S_MAX: Final = 5
"""The second reading of a code comes within this time of the first."""


class Trust:
    """Tells a code from what a wire made of one.

    checked: it carries the check that headquarters puts behind each of its codes. twice: it was
    read twice in a row. any: it came.

    Attributes:
        refused_count: codes whose check was missing or wrong.
    """

    def __init__(self, trusted: Trusted) -> None:
        self.refused_count = 0
        self._trusted = trusted
        self._first = ""
        self._first_ns = 0

    def takes(self, code: str, now: Moment) -> bool | None:
        """Whether a code counts; None: only once it is read again."""
        if self._trusted == "any":
            return True
        if self._trusted == "twice":
            return True if self._is_second(code, now) else None
        is_ours = is_whole(code)
        self.refused_count += not is_ours
        return is_ours

    def _is_second(self, code: str, now: Moment) -> bool:
        is_fresh = now.mono_ns - self._first_ns <= AGAIN_S_MAX * NS_PER_S
        is_second = code == self._first and is_fresh
        self._first, self._first_ns = "" if is_second else code, now.mono_ns
        return is_second
