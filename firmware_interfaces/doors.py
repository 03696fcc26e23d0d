"""One door over time: opened, forced, held open, closed."""

from agreed.machine import NS_PER_S, Moment
from firmware_interfaces.observations import Observation, Seen


class DoorWatch:
    """Decides what one door's moves mean.

    Args:
        device: name of the device that the door belongs to.
        part: its number there; 0 where there is one door only.
        held_s: how long it may stand open; 0 for as long as it likes.
        says_forced: whether opening without being allowed is said.
    """

    def __init__(self, device: str, part: int, *, held_s: int, says_forced: bool) -> None:
        self._device = device
        self._part = part
        self._held_s = held_s
        self._says_forced = says_forced
        self._allowed_ns = 0
        self._held_ns: int | None = None

    def allow(self, until_ns: int) -> None:
        """Let it open until then, `Moment.mono_ns`, without calling that forced."""
        self._allowed_ns = max(self._allowed_ns, until_ns)

    def opened(self, now: Moment, *, is_news: bool = True) -> list[Observation]:
        """It stands open; whether it just moved or was found so decides if it can be forced."""
        if self._held_s and self._held_ns is None:
            self._held_ns = now.mono_ns + self._held_s * NS_PER_S
        said = [self._say(Seen.DOOR_OPENED, now)]
        if self._says_forced and is_news and now.mono_ns > self._allowed_ns:
            said.append(self._say(Seen.DOOR_FORCED, now))
        return said

    def closed(self, now: Moment) -> list[Observation]:
        """It was closed; who opens it next has to be allowed again."""
        self.forget()
        return [self._say(Seen.DOOR_CLOSED, now)]

    def forget(self) -> None:
        """Know nothing of it any more."""
        self._held_ns = None
        self._allowed_ns = 0

    def time_passed(self, now: Moment) -> list[Observation]:
        """Say once that it stands open for too long."""
        if self._held_ns is None or now.mono_ns < self._held_ns:
            return []
        self._held_ns = None
        return [self._say(Seen.DOOR_HELD, now, str(self._held_s))]

    def deadline_ns(self) -> int | None:
        """When it has stood open for too long."""
        return self._held_ns

    def _say(self, seen: Seen, now: Moment, value: str = "") -> Observation:
        return Observation(self._device, seen, now, value=value, part=self._part)
