"""One door by its wires: what contact and button mean, and what its strike is to do next."""

from collections.abc import Callable
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from agreed.machine import NS_PER_MS, Moment
from agreed.words import say
from firmware_interfaces.debounce import Debounced
from firmware_interfaces.doors import DoorWatch
from firmware_interfaces.observations import Observation, Seen
from firmware_interfaces.presence import Presence, refused
from firmware_interfaces.wiring import DeviceName

ALLOWED_MS = 5_000  # a door may be pulled open so long after its strike closed
OPEN_MS_MIN = 100
OPEN_MS_MAX = 60_000
ATTEMPTS_COUNT_MAX = 3
ADMITS_COUNT_MAX = 16  # people who are let through by one pull of the strike

InputAt = Callable[[int], bool | None]
"""The value of one input; None where it is not known."""


class WiredDoor(BaseModel):
    """The table of one door.

    Attributes:
        strike: output that lets the door be opened; left out where there is none.
        contact: input of the door contact; left out where there is none.
        closed_when: the contact's value while the door is closed.
        button: input of the exit button; left out where there is none.
        pressed_when: the button's value while it is pressed.
        debounce_ms: how long an input must stay before it counts.
        held_s: how long the door may stand open before that is said; 0: never said.
        says_forced: whether a door that opens without having been let is said to be forced.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: DeviceName
    strike: int | None = Field(default=None, ge=0, lt=65_536)
    contact: int | None = Field(default=None, ge=0, lt=65_536)
    closed_when: Literal[0, 1] = 1
    button: int | None = Field(default=None, ge=0, lt=65_536)
    pressed_when: Literal[0, 1] = 1
    debounce_ms: int = Field(default=60, ge=0, le=2_000)
    held_s: int = Field(default=30, ge=0, le=86_400)
    says_forced: bool = True

    @model_validator(mode="after")
    def _has_anything(self) -> Self:
        if self.strike is None and self.contact is None and self.button is None:
            raise ValueError(say("a door needs a strike, a contact or a button"))
        return self


class Door:
    """One door.

    Attributes:
        settings: its table.
        presence: whether what it is wired to answers.
        wanted: what the strike is to be; None when it is as wanted.
        off_ns: when the strike is to be let go; None while it is.
    """

    def __init__(self, settings: WiredDoor) -> None:
        self.settings = settings
        self.presence = Presence(settings.name)
        self.wanted: bool | None = None
        self.off_ns: int | None = None
        self._open_ns = 0
        self._admits_count = 0
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
        """Nothing answers: nothing is known of it, and nothing is carried out later."""
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
        if self._admits_count >= ADMITS_COUNT_MAX:
            return [refused(self.settings.name, now, "busy")]
        open_ns = min(max(open_ms, OPEN_MS_MIN), OPEN_MS_MAX) * NS_PER_MS
        # Who is admitted while the strike is not yet pulled goes through with the one before.
        self._open_ns = max(open_ns, self._open_ns) if self._admits_count else open_ns
        self._admits_count += 1
        self._attempts_count = 0
        self.wanted = True
        return []

    def written(self, now: Moment) -> list[Observation]:
        """The strike is as it was wanted."""
        was_on, self.wanted = self.wanted, None
        self._attempts_count = 0
        if not was_on:
            return []
        admits_count, self._admits_count = self._admits_count, 0
        self.off_ns = max(self.off_ns or 0, now.mono_ns + self._open_ns)
        self._watch.allow(self.off_ns + ALLOWED_MS * NS_PER_MS)
        return [Observation(self.settings.name, Seen.ADMITTED, now)] * admits_count

    def not_written(self, now: Moment, reason: str) -> list[Observation]:
        """It is not; an admission is given up after some attempts, letting go never is."""
        self._attempts_count += 1
        if not self.wanted or self._attempts_count < ATTEMPTS_COUNT_MAX:
            return []
        self.wanted = False  # it may have been pulled all the same
        return self._refuse_admit(now, reason)

    def _refuse_admit(self, now: Moment, reason: str) -> list[Observation]:
        admits_count, self._admits_count = self._admits_count, 0
        return [refused(self.settings.name, now, reason)] * admits_count

    def heard(self, input_at: InputAt, now: Moment) -> list[Observation]:
        """Take in its inputs as they are now."""
        said = self.presence.back(now)
        if self.settings.contact is not None:
            said += self._heard_contact(input_at(self.settings.contact), now)
        if self.settings.button is not None:
            said += self._heard_button(input_at(self.settings.button), now)
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

    def settles_ns(self) -> int | None:
        """When its inputs should be looked at again, if they stay as they are until then."""
        deadlines = (self._contact.deadline_ns(), self._button.deadline_ns())
        return min((ns for ns in deadlines if ns is not None), default=None)
