"""Which device is what: an observation goes to whoever decides about it, a decision comes back."""

from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from agreed import records
from agreed.machine import Moment
from agreed.records import Durability
from edge.access import ADMITTED_COUNT_MAX, Gate, GateWiring
from edge.clock import Stamp
from edge.config import BoxSettings, StaffPlace
from edge.config import Gate as GateSettings
from edge.decisions import NOTHING, Decision, Digest, Draft
from edge.kiosk import Kiosk
from edge.known import Known
from edge.lockers import Bank
from edge.overheard import OverheardGate
from edge.place import Place
from firmware_interfaces.observations import Admit, Observation, Seen

# What is journaled about a device whatever it is used for. Telemetry is what nobody stands beside.
OF_THE_DEVICE: Final = {
    Seen.LOST: (records.DEVICE_LOST, Durability.TELEMETRY),
    Seen.BACK: (records.DEVICE_BACK, Durability.TELEMETRY),
    Seen.TAMPERED: (records.DEVICE_TAMPERED, Durability.PASSAGE),
    Seen.UNTAMPERED: (records.DEVICE_UNTAMPERED, Durability.PASSAGE),
    Seen.DOOR_FORCED: (records.DOOR_FORCED, Durability.PASSAGE),
    Seen.DOOR_HELD: (records.DOOR_HELD, Durability.PASSAGE),
    Seen.MISSED: (records.EVENTS_MISSED, Durability.PASSAGE),
    Seen.REKEYED: (records.DEVICE_KEYED, Durability.PASSAGE),
    Seen.CLASHED: (records.DEVICE_CLASHED, Durability.TELEMETRY),
    Seen.INSTALL_OPENED: (records.DEVICE_KEYED, Durability.PASSAGE),
    Seen.INSTALL_CLOSED: (records.DEVICE_KEYED, Durability.PASSAGE),
    Seen.POWER_LOST: (records.DEVICE_POWER, Durability.TELEMETRY),
    Seen.POWER_BACK: (records.DEVICE_POWER, Durability.TELEMETRY),
    Seen.UNREADABLE: (records.DEVICE_UNREADABLE, Durability.TELEMETRY),
}
_SAYS_WHICH: Final = {records.DEVICE_KEYED, records.DEVICE_POWER}
"""Node kinds of several things that a device can say: the detail begins with which."""

# What is journaled of a device that is no locker bank: a bank's doors are its compartments.
OF_A_DOOR: Final = {
    Seen.DOOR_OPENED: records.DOOR_OPENED,
    Seen.DOOR_CLOSED: records.DOOR_CLOSED,
    Seen.PRESSED: records.EXIT_PRESSED,
}
# What is for a person who watches, and proves nothing.
NOT_JOURNALED: Final = {Seen.DESCRIBED}
# What means something by the role of the device, and nothing without one.
BY_ROLE: Final = {
    Seen.CARD,
    Seen.KEYS,
    Seen.CODE,
    Seen.DOOR_STUCK,
    Seen.REFUSED_BY_DEVICE,
    Seen.ADMITTED,
    Seen.CARD_BEFORE,
    Seen.ENTERED,
    Seen.LEFT,
}


class Site:
    """The gates, kiosks, locker banks and places of one box; no I/O, no clock.

    Attributes:
        known: cards and codes, as learned.
        lost: devices that do not answer now.
        back: devices that do.
        described: who a device says it is and what it has, by its name.
    """

    def __init__(self, settings: BoxSettings, kept: Mapping[str, str], digest: Digest) -> None:
        self.known = Known()
        self.lost: set[str] = set()
        self.back: set[str] = set()
        self.described: dict[str, str] = {}
        self._digest = digest
        self._banks: dict[str, Bank] = {}
        self._places: dict[str, Place] = {}
        self._assign(settings, kept)

    def settings_changed(self, settings: BoxSettings, kept: Mapping[str, str]) -> None:
        """Give the devices their roles anew; banks and places that stay know what they knew."""
        self._assign(settings, kept)

    def _assign(self, settings: BoxSettings, kept: Mapping[str, str]) -> None:
        self._banks = {
            name: self._bank(name, compartments, kept)
            for name, compartments in settings.banks().items()
        }
        heard = settings.listeners()
        tables = [table for table in settings.gate if table.name not in heard]
        gates = [self._gate(table, settings) for table in tables]
        self._gates = {gate.reader: gate for gate in gates}
        self._overheard = {
            table.name: OverheardGate(table.name, self.known, self._digest)
            for table in settings.gate
            if table.name in heard
        }
        self._buttons = {
            table.button: gate
            for table, gate in zip(tables, gates, strict=True)
            if table.button is not None
        }
        # Who was told to move, oldest first, and for which gate: an opener may serve several.
        self._told = {gate.opener: deque[Gate](maxlen=ADMITTED_COUNT_MAX) for gate in gates}
        self._kiosks = {
            kiosk.scanner: Kiosk(
                kiosk.scanner, self._banks.get(kiosk.bank or ""), self.known, self._digest
            )
            for kiosk in settings.kiosk
        }
        self._places = {table.radio: self._place(table) for table in settings.place}

    def _bank(self, name: str, compartments: int, kept: Mapping[str, str]) -> Bank:
        bank = self._banks.get(name)
        if bank is None or bank.compartments != compartments:
            return Bank(name, compartments, kept)
        return bank

    def _place(self, table: StaffPlace) -> Place:
        beacons = {beacon.identity: beacon.name for beacon in table.beacons}
        place = self._places.get(table.radio) or Place(table.radio, beacons, self.known)
        place.settings_changed(beacons)
        return place

    def _gate(self, table: GateSettings, settings: BoxSettings) -> Gate:
        wiring = GateWiring(
            table.name,
            table.opener or table.name,
            table.open_ms,
            shows_refusal=table.name in settings.showing(),
        )
        return Gate(wiring, self.known, self._digest)

    def observed(self, observation: Observation, stamp: Stamp) -> list[Decision]:
        """Decide about one observation; the stamp is that of its moment."""
        if observation.seen is Seen.DESCRIBED:
            self.described[observation.device] = observation.value
        decisions = [self._of_the_device(observation), self._by_role(observation, stamp)]
        return [decision for decision in decisions if decision is not NOTHING]

    def _by_role(self, observation: Observation, stamp: Stamp) -> Decision:
        device, seen = observation.device, observation.seen
        if device in self._banks:
            return self._banks[device].observed(observation)
        if device in self._kiosks and seen is Seen.CODE:
            return self._kiosks[device].scanned(observation.value)
        if device in self._overheard:
            return self._at_overheard(self._overheard[device], observation)
        if device in self._places:
            return self._at_place(self._places[device], observation, stamp)
        if seen in OF_A_DOOR:
            return self._at_door(observation)
        return self._at_gate(observation, stamp)

    def time_passed(self, now: Moment, stamp: Stamp) -> list[Decision]:
        """Let every deadline up to `now` fall due; the stamp is that of `now`."""
        decisions = [one for bank in self._banks.values() for one in bank.time_passed(now)]
        for place in self._places.values():
            decisions += place.learned(stamp.earliest_ms, stamp.latest_ms)
        return [decision for decision in decisions if decision is not NOTHING]

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

    def removed(self, devices: Sequence[str]) -> list[Decision]:
        """Forget devices whose lines ended; call it before the settings change."""
        self.lost.difference_update(devices)
        self.back.difference_update(devices)
        for device in devices:
            self.described.pop(device, None)
        gone = [self._places[device] for device in devices if device in self._places]
        return [decision for place in gone for decision in place.unwatched()]

    def holds(self, bank: str, part: int) -> bool:
        """Whether a compartment is in use: then it must not be opened for a trial."""
        return bank in self._banks and part in self._banks[bank].holdings

    def _of_the_device(self, observation: Observation) -> Decision:
        device, seen = observation.device, observation.seen
        if seen not in OF_THE_DEVICE:
            return NOTHING
        if seen is Seen.LOST:
            self.lost.add(device)
            self.back.discard(device)
        elif seen is Seen.BACK:
            self.lost.discard(device)
            self.back.add(device)
        node_kind, durability = OF_THE_DEVICE[seen]
        which = seen.name.lower() if node_kind in _SAYS_WHICH else ""
        part = str(observation.part) if observation.part else ""
        detail = " ".join(filter(None, (which, part, observation.value)))
        return Decision((Draft(device, node_kind, detail=detail),), durability)

    def _at_place(self, place: Place, observation: Observation, stamp: Stamp) -> Decision:
        if observation.seen is Seen.ENTERED:
            return place.entered(observation.value, stamp.earliest_ms, stamp.latest_ms)
        return place.left(observation.value) if observation.seen is Seen.LEFT else NOTHING

    def _at_overheard(self, gate: OverheardGate, observation: Observation) -> Decision:
        if observation.seen is Seen.CARD:
            return gate.card(observation.value, observation.at)
        return gate.moved(observation.at) if observation.seen is Seen.ADMITTED else NOTHING

    def _at_door(self, observation: Observation) -> Decision:
        gate = self._buttons.get(observation.device)
        if observation.seen is Seen.PRESSED and gate is not None:
            return self._told_to_move(gate, gate.pressed(observation.device))
        return Decision((Draft(observation.device, OF_A_DOOR[observation.seen]),))

    def _at_gate(self, observation: Observation, stamp: Stamp) -> Decision:
        gate = self._gates.get(observation.device)
        match observation.seen:
            case Seen.ADMITTED | Seen.REFUSED_BY_DEVICE:
                return self._moved(observation)
            case Seen.CARD if gate is not None:
                decision = gate.card(observation.value, stamp.earliest_ms, stamp.latest_ms)
                return self._told_to_move(gate, decision)
            case Seen.CARD_BEFORE if gate is not None:
                card, _, told = observation.value.partition(" ")
                return gate.card_before(card, told)
            case Seen.KEYS if gate is not None:
                return gate.keys()
            case _:
                return NOTHING

    def _told_to_move(self, gate: Gate, decision: Decision) -> Decision:
        if any(isinstance(command, Admit) for command in decision.at_once):
            self._told[gate.opener].append(gate)
        return decision

    def _moved(self, observation: Observation) -> Decision:
        """Hand what an opener did to the gate that it did it for; openers answer in order."""
        told = self._told.get(observation.device)
        is_refusal = observation.seen is Seen.REFUSED_BY_DEVICE
        if told:
            gate = told.popleft()
            return gate.refused_by_device() if is_refusal else gate.moved()
        if not is_refusal or observation.value == "lost" or observation.device in self._told:
            return NOTHING  # that it is lost was said
        detail = observation.value
        draft = Draft(observation.device, records.DEVICE_REFUSED, detail=detail)
        return Decision((draft,), Durability.TELEMETRY)
