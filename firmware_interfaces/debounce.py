"""An input that chatters, and the value that it settles on."""

from agreed.machine import NS_PER_MS, Moment


class Debounced:
    """Takes samples of one input.

    Attributes:
        value: what it settled on; None until a first time.
    """

    def __init__(self, debounce_ms: int) -> None:
        self.value: bool | None = None
        self._debounce_ns = debounce_ms * NS_PER_MS
        self._candidate: bool | None = None
        self._since_ns = 0

    def sample(self, value: bool, now: Moment) -> bool:
        """Take one sample; True when the input settled on a new value.

        A change counts when every sample over the whole debounce time agrees, and at least two.
        """
        if value == self.value:
            self._candidate = None
            return False
        if value != self._candidate:
            self._candidate, self._since_ns = value, now.mono_ns
            return False
        if now.mono_ns - self._since_ns < self._debounce_ns:
            return False
        self.value, self._candidate = value, None
        return True

    def deadline_ns(self) -> int | None:
        """When another sample of the same value settles it; None while it does not move."""
        return None if self._candidate is None else self._since_ns + self._debounce_ns

    def forget(self) -> None:
        """Know nothing of it any more."""
        self.value = self._candidate = None
