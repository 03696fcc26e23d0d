"""Doors on pins: levels in, what they mean out; strikes are pulled and surely let go again."""

from agreed.machine import NS_PER_MS, Moment
from firmware_interfaces.contacts.codec import Level, LevelReader, written
from firmware_interfaces.contacts.settings import ContactsLine
from firmware_interfaces.observations import Admit, Command, Observation
from firmware_interfaces.presence import refused
from firmware_interfaces.wired_door import Door

NO_ECHO = "the pin does not follow"
ECHO_MS_MAX = 200  # the port reads a strike's level back at once


class ContactsMachine:
    """The doors of one chip."""

    def __init__(self, settings: ContactsLine) -> None:
        self._strike_on = bool(settings.strike_on)
        self._doors = {door.name: Door(door) for door in settings.devices}
        self._of_strike = {
            door.settings.strike: door
            for door in self._doors.values()
            if door.settings.strike is not None
        }
        self._inputs = set(settings.inputs())
        self._levels: dict[int, bool] = {}
        self._waits: dict[str, int] = {}  # name of the door: when its echo is overdue, mono ns
        self._reader = LevelReader()
        self._outgoing = bytearray()
        self._is_open = False

    def line_opened(self, now: Moment) -> list[Observation]:
        """Let every strike go, and wait for the first level of every input."""
        self._is_open = True
        self._reader.reset()
        self._outgoing.clear()
        self._levels.clear()
        self._waits.clear()
        for door in self._doors.values():
            door.begin()
        self._switch(now)
        return []

    def line_lost(self, now: Moment) -> list[Observation]:
        """Every door is lost, and every admission refused."""
        self._is_open = False
        return [said for door in self._doors.values() for said in door.gone(now, "port")]

    def command(self, command: Command, now: Moment) -> list[Observation]:
        """Let somebody through a door."""
        door = self._doors.get(command.device)
        if door is None or not isinstance(command, Admit):
            return [refused(command.device, now, "not a command for this device")]
        if not door.presence.is_back:
            return [refused(command.device, now, "lost")]
        said = door.admit(command.open_ms, now)
        self._switch(now)
        return said

    def bytes_received(self, data: bytes, now: Moment) -> list[Observation]:
        """Take in levels: of inputs as they are, of strikes as they were read back."""
        said: list[Observation] = []
        for level in self._reader.feed(data):
            if level.pin in self._inputs:
                self._levels[level.pin] = level.is_high
            elif level.pin in self._of_strike:
                said += self._read_back(self._of_strike[level.pin], level, now)
            else:
                continue
            said += self._look(now)
        self._switch(now)
        return said

    def _read_back(self, door: Door, level: Level, now: Moment) -> list[Observation]:
        is_on = level.is_high == self._strike_on
        if door.settings.name not in self._waits or is_on != door.wanted:
            return []
        del self._waits[door.settings.name]
        return door.presence.back(now) + door.written(now)

    def _look(self, now: Moment) -> list[Observation]:
        """Show every door the levels, once all of its own are known."""
        return [
            said
            for door in self._doors.values()
            if self._is_known(door)
            for said in door.heard(self._levels.get, now)
        ]

    def _is_known(self, door: Door) -> bool:
        pins = (door.settings.contact, door.settings.button)
        return all(pin is None or pin in self._levels for pin in pins) and (
            door.settings.name not in self._waits or door.presence.is_back
        )

    def time_passed(self, now: Moment) -> list[Observation]:
        """Settle inputs, give up on a strike that was not read back, let strikes go."""
        if not self._is_open:
            return []
        said = [one for door in self._doors.values() for one in door.time_passed(now)]
        for name in [name for name, wait_ns in self._waits.items() if wait_ns <= now.mono_ns]:
            del self._waits[name]
            door = self._doors[name]
            said += door.not_written(now, NO_ECHO)
            said += [] if door.presence.is_back else door.presence.lost(now, NO_ECHO)
        settles = [door.settles_ns() for door in self._doors.values()]
        if any(ns is not None and ns <= now.mono_ns for ns in settles):
            said += self._look(now)
        self._switch(now)
        return said

    def _switch(self, now: Moment) -> None:
        for name, door in self._doors.items():
            pin = door.settings.strike
            if door.wanted is None or pin is None or name in self._waits or not self._is_open:
                continue
            self._outgoing += written(Level(pin, door.wanted == self._strike_on))
            self._waits[name] = now.mono_ns + ECHO_MS_MAX * NS_PER_MS

    def bytes_to_send(self) -> bytes:
        """Hand over the levels that strikes are to have."""
        data = bytes(self._outgoing)
        self._outgoing.clear()
        return data

    def deadline_ns(self) -> int | None:
        """When an input settles, an echo is overdue or a door has something due."""
        if not self._is_open:
            return None
        due = [*self._waits.values()]
        for door in self._doors.values():
            settles_ns = door.settles_ns()
            due += door.deadlines_ns() + ([] if settles_ns is None else [settles_ns])
        return min(due, default=None)
