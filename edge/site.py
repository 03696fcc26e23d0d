"""Which device is what: an observation goes to whoever decides about it, a decision comes back."""

from collections.abc import Iterable, Mapping
from typing import Final

from agreed.machine import Moment
from agreed.records import (
    DEVICE_BACK,
    DEVICE_KEYED,
    DEVICE_LOST,
    DEVICE_POWER,
    DEVICE_TAMPERED,
    Durability,
)
from edge.access import Gate
from edge.clock import Stamp
from edge.config import BoxSettings
from edge.decisions import NOTHING, Decision, Digest, Draft
from edge.kiosk import Kiosk
from edge.known import Known
from edge.lockers import Bank
from firmware_interfaces.observations import Observation, Seen

_OF_THE_DEVICE: Final = {
    Seen.LOST: DEVICE_LOST,
    Seen.BACK: DEVICE_BACK,
    Seen.TAMPERED: DEVICE_TAMPERED,
    Seen.INSTALL_OPENED: DEVICE_KEYED,
    Seen.INSTALL_CLOSED: DEVICE_KEYED,
    Seen.REKEYED: DEVICE_KEYED,
    Seen.POWER_LOST: DEVICE_POWER,
    Seen.POWER_BACK: DEVICE_POWER,
}
_PLAIN: Final = {Seen.LOST, Seen.BACK, Seen.TAMPERED}
"""What these are is in the node kind; of the others the detail says it."""


class Site:
    """The gates, kiosks and locker banks of one box; no I/O, no clock.

    Attributes:
        known: cards and codes, as learned.
        lost: devices that do not answer now.
    """

    def __init__(self, settings: BoxSettings, kept: Mapping[str, str], digest: Digest) -> None:
        self.known = Known()
        self.lost: set[str] = set()
        self._banks = {
            name: Bank(name, compartments, kept) for name, compartments in settings.banks().items()
        }
        self._gates = {
            gate.reader: Gate(gate.reader, gate.open_ms, self.known, digest)
            for gate in settings.gate
        }
        self._kiosks = {
            kiosk.scanner: Kiosk(
                kiosk.scanner, self._banks.get(kiosk.bank or ""), self.known, digest
            )
            for kiosk in settings.kiosk
        }

    def observed(self, observation: Observation, stamp: Stamp) -> list[Decision]:
        """Decide about one observation; the stamp is that of its moment."""
        decisions = [self._of_the_device(observation)]
        device = observation.device
        if device in self._gates:
            decisions.append(self._at_gate(self._gates[device], observation, stamp))
        elif device in self._kiosks and observation.seen is Seen.CODE:
            decisions.append(self._kiosks[device].scanned(observation.value))
        elif device in self._banks:
            decisions.append(self._banks[device].observed(observation))
        return [decision for decision in decisions if decision is not NOTHING]

    def time_passed(self, now: Moment) -> list[Decision]:
        """Let every deadline up to `now` fall due."""
        return [decision for bank in self._banks.values() for decision in bank.time_passed(now)]

    def deadline_ns(self) -> int | None:
        """Say when `time_passed` is next wanted, in `Moment.mono_ns`."""
        deadlines = (bank.deadline_ns() for bank in self._banks.values())
        return min((d for d in deadlines if d is not None), default=None)

    def order_ended(self, order: str) -> list[Decision]:
        """Give back what an order still holds that it never used."""
        decisions = [bank.order_ended(order) for bank in self._banks.values()]
        return [decision for decision in decisions if decision is not NOTHING]

    def not_kept(self, names: Iterable[str], kept: Mapping[str, str], now: Moment) -> None:
        """Go back to what is stored, because the journal did not take a decision."""
        for bank in self._banks.values():
            bank.refused(names, kept, now)

    def _of_the_device(self, observation: Observation) -> Decision:
        device, seen = observation.device, observation.seen
        node_kind = _OF_THE_DEVICE.get(seen)
        if node_kind is None:
            return NOTHING
        if seen is Seen.LOST:
            self.lost.add(device)
        elif seen is Seen.BACK:
            self.lost.discard(device)
        # Neither tampering nor keys are telemetry: somebody stands there now.
        is_urgent = node_kind in {DEVICE_TAMPERED, DEVICE_KEYED}
        durability = Durability.PASSAGE if is_urgent else Durability.TELEMETRY
        word = "" if seen in _PLAIN else seen.name.lower()
        detail = f"{word} {observation.value}".strip()
        return Decision((Draft(device, node_kind, detail=detail),), durability)

    def _at_gate(self, gate: Gate, observation: Observation, stamp: Stamp) -> Decision:
        match observation.seen:
            case Seen.CARD:
                return gate.card(observation.value, stamp.earliest_ms, stamp.latest_ms)
            case Seen.KEYS:
                return gate.keys()
            case Seen.ADMITTED:
                return gate.moved()
            case Seen.REFUSED_BY_DEVICE:
                return gate.refused_by_device()
            case _:
                return NOTHING
