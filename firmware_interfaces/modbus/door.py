"""One door on a board: what its inputs mean, and what its strike is to do next."""

from agreed.machine import NS_PER_MS, Moment
from firmware_interfaces.debounce import Debounced
from firmware_interfaces.doors import DoorWatch
from firmware_interfaces.modbus.codec import Reply
from firmware_interfaces.modbus.settings import ModbusDoor
from firmware_interfaces.observations import Observation, Seen
from firmware_interfaces.presence import Presence, refused

ALLOWED_MS = 5_000  # a door may be pulled open so long after its strike closed
OPEN_MS_MIN = 100
OPEN_MS_MAX = 60_000
ATTEMPTS_COUNT_MAX = 3


class Door:
    """One door.

    Attributes:
        settings: its table.
        presence: whether its board answers.
        wanted: what the strike is to be; None when it is as wanted.
        off_ns: when the strike is to be let go; None while it is.
    """

    def __init__(self, settings: ModbusDoor) -> None:
        self.settings = settings
        self.presence = Presence(settings.name)
        self.wanted: bool | None = None
        self.off_ns: int | None = None
        self._open_ns = 0
        self._has_admit = False
        self._attempts_count = 0
        self._was_open = False
        self._contact = Debounced(settings.debounce_ms)
        self._button = Debounced(settings.debounce_ms)
        self._watch = DoorWatch(
            settings.name, 0, held_s=settings.held_s, says_forced=settings.says_forced
        )

    def begin(self) -> None:
        """Let the strike go first of all: nobody knows how it was left."""
        self.off_ns = None
        self._attempts_count = 0
        self.wanted = False if self.settings.strike is not None else None

    def gone(self, now: Moment, reason: str) -> list[Observation]:
        """Its board does not answer: nothing is known, and nothing is carried out later."""
        said = self._refuse_admit(now, "lost")
        self._contact.forget()
        self._button.forget()
        self._watch.forget()
        self.begin()
        return said + self.presence.lost(now, reason)

    def admit(self, open_ms: int, now: Moment) -> list[Observation]:
        """Have the strike pulled for a while."""
        if self.settings.strike is None:
            return [refused(self.settings.name, now, "door has no strike")]
        if self._has_admit:
            return [refused(self.settings.name, now, "busy")]
        self._has_admit = True
        self._attempts_count = 0
        self._open_ns = min(max(open_ms, OPEN_MS_MIN), OPEN_MS_MAX) * NS_PER_MS
        self.wanted = True
        return []

    def written(self, now: Moment) -> list[Observation]:
        """The board did to the strike what was wanted."""
        was_on, self.wanted = self.wanted, None
        self._attempts_count = 0
        if not was_on:
            return []
        self._has_admit = False
        self.off_ns = now.mono_ns + self._open_ns
        self._watch.allow(self.off_ns + ALLOWED_MS * NS_PER_MS)
        return [Observation(self.settings.name, Seen.ADMITTED, now)]

    def not_written(self, now: Moment, reason: str) -> list[Observation]:
        """The board did not; an admission is given up after some attempts, letting go never is."""
        self._attempts_count += 1
        if not self.wanted or self._attempts_count < ATTEMPTS_COUNT_MAX:
            return []
        self.wanted = False  # it may have been pulled all the same
        return self._refuse_admit(now, reason)

    def _refuse_admit(self, now: Moment, reason: str) -> list[Observation]:
        had_admit, self._has_admit = self._has_admit, False
        return [refused(self.settings.name, now, reason)] if had_admit else []

    def heard(self, reply: Reply, now: Moment) -> list[Observation]:
        """Take in the inputs of its board."""
        said = self.presence.back(now)
        if self.settings.contact is not None:
            said += self._heard_contact(reply.input_at(self.settings.contact), now)
        if self.settings.button is not None:
            said += self._heard_button(reply.input_at(self.settings.button), now)
        return said

    def _heard_contact(self, value: bool | None, now: Moment) -> list[Observation]:
        is_first = self._contact.value is None
        if value is None or not self._contact.sample(value != self.settings.closed_when, now):
            return []
        was_open, self._was_open = self._was_open, bool(self._contact.value)
        if self._was_open:
            return self._watch.opened(now, is_news=not is_first)
        return self._watch.closed(now) if was_open or not is_first else []

    def _heard_button(self, value: bool | None, now: Moment) -> list[Observation]:
        is_first = self._button.value is None
        if value is None or not self._button.sample(value == self.settings.pressed_when, now):
            return []
        if is_first or not self._button.value:
            return []
        self._watch.allow(now.mono_ns + ALLOWED_MS * NS_PER_MS)
        return [Observation(self.settings.name, Seen.PRESSED, now)]

    def time_passed(self, now: Moment) -> list[Observation]:
        """Let the strike go when its time is over, and see whether the door stands open."""
        if self.off_ns is not None and now.mono_ns >= self.off_ns:
            self.off_ns = None
            self.wanted = self.wanted or False
        return self._watch.time_passed(now)

    def deadlines_ns(self) -> list[int]:
        """When anything falls due by time alone."""
        return [ns for ns in (self.off_ns, self._watch.deadline_ns()) if ns is not None]
