"""The compartments of one locker bank: which is whose, and what a moving door means.

    free --deposit code--> DEPOSITING --door opened--> DEPOSIT_OPEN --door closed--> HELD
    HELD --collect code--> COLLECTING --door opened--> COLLECT_OPEN --door closed--> free

A compartment is told to open only after its record is on the disk. What a compartment holds is
stored in the same transaction as the record that changed it.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from agreed.machine import NS_PER_S, Moment
from agreed.records import (
    COMPARTMENT_OPENED,
    COMPARTMENT_STUCK,
    DEVICE_TAMPERED,
    PARCEL_COLLECTED,
    PARCEL_DEPOSITED,
    Durability,
    Evidence,
)
from edge.decisions import NOTHING, Decision, Draft
from firmware_interfaces.observations import Answer, Command, Observation, OpenCompartment, Seen

KEPT_PREFIX: Final = "locker/"
SETTLE_S: Final = 5
"""After a start or a lost line, doors that stand open are heard of within this time."""

OPEN_UNASKED: Final = "open_unasked"
FOUND_CLOSED: Final = "found_closed"


class Phase(StrEnum):
    """Where a compartment stands; free compartments have none."""

    DEPOSITING = "depositing"  # promised to an order, its door not yet seen open
    DEPOSIT_OPEN = "deposit_open"
    HELD = "held"  # closed, with something inside
    COLLECTING = "collecting"
    COLLECT_OPEN = "collect_open"


class Refusal(StrEnum):
    """Why no compartment opens, in order of precedence."""

    LOST = "lockers_lost"
    DEPOSITED_BEFORE = "deposited_before"
    NOTHING_TO_COLLECT = "nothing_to_collect"
    FULL = "lockers_full"


@dataclass(frozen=True, slots=True)
class Holding:
    """What a compartment is used for.

    Attributes:
        phase: where it stands.
        order: whose order.
        subject: who opened it last.
        scanner: whom to tell; "" when nobody waits any more.
    """

    phase: Phase
    order: str
    subject: str
    scanner: str = ""


_OPENED: Final = {
    Phase.DEPOSITING: Phase.DEPOSIT_OPEN,
    Phase.COLLECTING: Phase.COLLECT_OPEN,
}
_CLOSED: Final = {
    Phase.DEPOSITING: PARCEL_DEPOSITED,
    Phase.DEPOSIT_OPEN: PARCEL_DEPOSITED,
    Phase.COLLECTING: PARCEL_COLLECTED,
    Phase.COLLECT_OPEN: PARCEL_COLLECTED,
}
_STANDING_OPEN: Final = (Phase.DEPOSIT_OPEN, Phase.COLLECT_OPEN)
_RECEIVING: Final = (Phase.DEPOSITING, Phase.DEPOSIT_OPEN)


class Bank:
    """One locker bank.

    Attributes:
        name: of the device.
        compartments: how many there are, numbered from 1.
        holdings: by compartment, from 1; free ones are absent.
    """

    def __init__(self, name: str, compartments: int, kept: Mapping[str, str]) -> None:
        """Begin from what was stored.

        Args:
            name: of the device.
            compartments: how many there are, numbered from 1.
            kept: what `Decision.keep` stored before, every name of it.
        """
        self.name = name
        self.holdings: dict[int, Holding] = {}
        self.compartments = compartments
        self._open: set[int] = set()
        self._stuck: set[int] = set()
        self._is_back = False
        self._settled_at_ns: int | None = None
        for part in range(1, compartments + 1):
            self._restore(part, kept)

    def deposit(self, order: str, subject: str, scanner: str) -> Decision | Refusal:
        """Open a compartment for an order, the same one again if it was not yet closed."""
        part = self._part_of(order)
        if not self._is_back:
            return Refusal.LOST
        if part is not None and self.holdings[part].phase not in _RECEIVING:
            return Refusal.DEPOSITED_BEFORE
        part = part or self._free_part()
        if part is None:
            return Refusal.FULL
        return self._open_for(part, Holding(Phase.DEPOSITING, order, subject, scanner))

    def collect(self, order: str, subject: str, scanner: str) -> Decision | Refusal:
        """Open the compartment that holds an order's parcel."""
        part = self._part_of(order)
        if not self._is_back:
            return Refusal.LOST
        if part is None or self.holdings[part].phase in _RECEIVING:
            return Refusal.NOTHING_TO_COLLECT
        return self._open_for(part, Holding(Phase.COLLECTING, order, subject, scanner))

    def order_ended(self, order: str) -> Decision:
        """Free the compartment of an order that was never seen to open for it."""
        part = self._part_of(order)
        if part is None or self.holdings[part].phase is not Phase.DEPOSITING:
            return NOTHING
        return Decision(keep=self._set(part, None))

    def observed(self, observation: Observation) -> Decision:
        """Take in what the bank said."""
        match observation.seen:
            case Seen.BACK:
                self._is_back = True
                self._settle_after(observation.at)
            case Seen.LOST:
                self._is_back = False
                self._open.clear()
                self._settled_at_ns = None
            case Seen.DOOR_OPENED:
                return self._door_opened(observation.part)
            case Seen.DOOR_CLOSED:
                return self._door_closed(observation.part, "")
            case Seen.DOOR_STUCK:
                return self._door_stuck(observation.part)
            case Seen.REFUSED_BY_DEVICE:
                return self._refused(observation.part, observation.value)
            case _:
                pass
        return NOTHING

    def time_passed(self, now: Moment) -> list[Decision]:
        """Conclude for doors that closed while nobody was looking."""
        if self._settled_at_ns is None or now.mono_ns < self._settled_at_ns:
            return []
        self._settled_at_ns = None
        unseen = [
            part
            for part, holding in self.holdings.items()
            if holding.phase in _STANDING_OPEN and part not in self._open
        ]
        return [self._door_closed(part, FOUND_CLOSED) for part in unseen]

    def deadline_ns(self) -> int | None:
        """Say when `time_passed` is next wanted, in `Moment.mono_ns`."""
        return self._settled_at_ns

    def refused(self, names: Iterable[str], kept: Mapping[str, str], now: Moment) -> None:
        """Go back to what is stored, because the journal did not take a decision of this bank."""
        for part in range(1, self.compartments + 1):
            if self._key(part) in names:
                self._restore(part, kept)
        # A bank that is away is heard again before anything is concluded about its doors.
        if self._is_back:
            self._settle_after(now)

    def _settle_after(self, now: Moment) -> None:
        self._settled_at_ns = now.mono_ns + SETTLE_S * NS_PER_S

    def _open_for(self, part: int, holding: Holding, *before: Draft) -> Decision:
        draft = Draft(
            self.name,
            COMPARTMENT_OPENED,
            holding.subject,
            holding.order,
            str(part),
            Evidence.KIOSK,
        )
        return Decision(
            (*before, draft),
            Durability.CUSTODY,
            when_durable=(*self._answer(holding, is_good=True), OpenCompartment(self.name, part)),
            when_refused=self._answer(holding, is_good=False),
            keep=self._set(part, holding),
        )

    def _door_opened(self, part: int) -> Decision:
        self._open.add(part)
        self._stuck.discard(part)
        holding = self.holdings.get(part)
        if holding is not None and holding.phase in _OPENED:
            opened = replace(holding, phase=_OPENED[holding.phase])
            return Decision(durability=Durability.CUSTODY, keep=self._set(part, opened))
        if holding is not None and holding.phase in _STANDING_OPEN:
            return NOTHING
        order = holding.order if holding is not None else ""
        draft = Draft(self.name, DEVICE_TAMPERED, reference=order, detail=f"{part} {OPEN_UNASKED}")
        return Decision((draft,))

    def _door_closed(self, part: int, remark: str) -> Decision:
        self._open.discard(part)
        holding = self.holdings.get(part)
        if holding is None or holding.phase not in _CLOSED:
            return NOTHING
        after = replace(holding, phase=Phase.HELD) if holding.phase in _RECEIVING else None
        draft = Draft(
            self.name,
            _CLOSED[holding.phase],
            holding.subject,
            holding.order,
            f"{part} {remark}".strip(),
        )
        return Decision((draft,), Durability.CUSTODY, keep=self._set(part, after))

    def _door_stuck(self, part: int) -> Decision:
        """Try another compartment for a deposit; a parcel that cannot come out needs a person."""
        self._stuck.add(part)
        holding = self.holdings.get(part)
        if holding is None or holding.phase not in _OPENED:
            return Decision((self._stuck_draft(part, holding, ""),))
        if holding.phase is Phase.COLLECTING:
            after = replace(holding, phase=Phase.HELD, scanner="")
            return self._give_up(part, holding, after, "")
        other = self._free_part()
        if other is None:
            return self._give_up(part, holding, None, "")
        freed = self._set(part, None)
        decision = self._open_for(other, holding, self._stuck_draft(part, holding, ""))
        return replace(decision, keep=freed | decision.keep)

    def _refused(self, part: int, reason: str) -> Decision:
        """Say so; the compartment stays promised, because its door may have moved unseen."""
        holding = self.holdings.get(part)
        if holding is None or holding.phase not in _OPENED:
            return NOTHING
        return self._give_up(part, holding, replace(holding, scanner=""), reason)

    def _give_up(self, part: int, holding: Holding, after: Holding | None, reason: str) -> Decision:
        return Decision(
            (self._stuck_draft(part, holding, reason),),
            Durability.CUSTODY,
            at_once=self._answer(holding, is_good=False),
            keep=self._set(part, after),
        )

    def _stuck_draft(self, part: int, holding: Holding | None, reason: str) -> Draft:
        subject, order = (holding.subject, holding.order) if holding is not None else ("", "")
        return Draft(self.name, COMPARTMENT_STUCK, subject, order, f"{part} {reason}".strip())

    def _answer(self, holding: Holding, *, is_good: bool) -> tuple[Command, ...]:
        return (Answer(holding.scanner, is_good),) if holding.scanner else ()

    def _part_of(self, order: str) -> int | None:
        return next((p for p, holding in self.holdings.items() if holding.order == order), None)

    def _free_part(self) -> int | None:
        for part in range(1, self.compartments + 1):
            if part not in self.holdings and part not in self._open and part not in self._stuck:
                return part
        return None

    def _set(self, part: int, holding: Holding | None) -> dict[str, str | None]:
        if holding is None:
            self.holdings.pop(part, None)
            return {self._key(part): None}
        self.holdings[part] = holding
        return {self._key(part): json.dumps([holding.phase, holding.order, holding.subject])}

    def _restore(self, part: int, kept: Mapping[str, str]) -> None:
        self.holdings.pop(part, None)
        text = kept.get(self._key(part))
        if text is not None:
            phase, order, subject = json.loads(text)
            self.holdings[part] = Holding(Phase(phase), order, subject)

    def _key(self, part: int) -> str:
        return f"{KEPT_PREFIX}{self.name}/{part}"
