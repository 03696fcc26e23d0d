"""Badges and beacons around one radio: who came near and who left, each said once."""

from collections.abc import Sequence

from agreed.machine import Moment
from firmware_interfaces.ble.codec import Ephemeral, Report, ReportReader, identity
from firmware_interfaces.ble.ephemeral import Badge, owner
from firmware_interfaces.ble.nearness import Nearness, Turn, bounds
from firmware_interfaces.ble.settings import BleLine
from firmware_interfaces.observations import Command, Observation, Seen
from firmware_interfaces.presence import Presence, refused

TRACKED_COUNT_MAX = 512  # more than these are not told apart; who is near is never forgotten
_TURNS = {Turn.ENTERED: Seen.ENTERED, Turn.LEFT: Seen.LEFT}


class BleMachine:
    """One radio.

    Attributes:
        untracked_count: reports that found no room among those who are tracked.
    """

    def __init__(self, settings: BleLine, keys: Sequence[bytes]) -> None:
        """Begin with nobody near.

        Args:
            settings: a checked table.
            keys: of its badges, in their order.
        """
        (radio,) = settings.devices
        self.untracked_count = 0
        self._presence = Presence(radio.name)
        self._prefixes = radio.prefixes
        self._bounds = bounds(radio.near_dbm, radio.far_dbm, radio.away_s)
        self._badges = [
            Badge(badge.name, key, badge.exponent, badge.began_s)
            for badge, key in zip(radio.badges, keys, strict=True)
        ]
        self._reader = ReportReader()
        self._near: dict[str, Nearness] = {}
        self._is_open = False

    def line_opened(self, now: Moment) -> list[Observation]:
        """The radio listens; who was near before is waited for again."""
        self._is_open = True
        self._reader.reset()
        for nearness in self._near.values():
            nearness.listen_anew(now)
        return self._presence.back(now)

    def line_lost(self, now: Moment) -> list[Observation]:
        """Nobody can be heard, which does not mean that anybody left."""
        self._is_open = False
        return self._presence.lost(now, "port")

    def command(self, command: Command, now: Moment) -> list[Observation]:
        """Refuse: a radio only listens."""
        reason = "not a command for this device" if self._presence.is_back else "lost"
        return [refused(command.device, now, reason)]

    def bytes_received(self, data: bytes, now: Moment) -> list[Observation]:
        """Take in what was heard on the air."""
        return [said for report in self._reader.feed(data) for said in self._heard(report, now)]

    def _heard(self, report: Report, now: Moment) -> list[Observation]:
        name = self._name(report, now)
        if name is None:
            return []
        nearness = self._near.get(name)
        if nearness is None:
            if not self._has_room():
                self.untracked_count += 1
                return []
            nearness = self._near[name] = Nearness(self._bounds)
        return self._say(nearness.heard(report.rssi_dbm, now), name, now)

    def _name(self, report: Report, now: Moment) -> str | None:
        found = identity(report.data)
        if isinstance(found, Ephemeral):
            whose = owner(self._badges, found.eid, now.wall_ns)
            return f"eid:{whose}" if whose is not None else None
        if found is None or (self._prefixes and not found.startswith(self._prefixes)):
            return None
        return found

    def _has_room(self) -> bool:
        """Make room by forgetting whoever is not near and was unheard for longest."""
        if len(self._near) < TRACKED_COUNT_MAX:
            return True
        others = [(one.heard_ns, name) for name, one in self._near.items() if not one.is_near]
        if others:
            del self._near[min(others)[1]]
        return bool(others)

    def time_passed(self, now: Moment) -> list[Observation]:
        """See who left."""
        if not self._is_open:
            return []
        turns = [(name, one.time_passed(now)) for name, one in self._near.items()]
        return [said for name, turn in turns for said in self._say(turn, name, now)]

    def _say(self, turn: Turn | None, name: str, now: Moment) -> list[Observation]:
        if turn is None:
            return []
        return [Observation(self._presence.device, _TURNS[turn], now, value=name)]

    def bytes_to_send(self) -> bytes:
        """Nothing: a radio only listens."""
        return b""

    def deadline_ns(self) -> int | None:
        """When somebody has left unless heard until then."""
        if not self._is_open:
            return None
        due = (one.deadline_ns() for one in self._near.values() if one.is_near)
        return min(due, default=None)
