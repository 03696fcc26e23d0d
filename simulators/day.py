"""The words of a service day: what is promised, and what each person really does when."""

from dataclasses import dataclass, field

from agreed.directives import CodeAction
from simulators.cast import HOUR_MS, MINUTE_MS, PACKS, Cast, Person, Service


@dataclass(frozen=True, slots=True)
class DayShape:
    """How large a day is; hours count from midnight.

    Attributes:
        open_h, close_h: the day is played from one to the other.
        orders: how many of each service.
        residents: who lives there.
        passages: how often residents pass a gate, all together.
        outage_h: the link to headquarters is cut from one to the other.
        broker_killed_h: the broker is killed then.
        card_expired_h: one worker's card ends at the first and is renewed at the second.
        live_orders: orders that are created while the day runs, one of them in the outage.
    """

    open_h: float = 7
    close_h: float = 22
    orders: dict[Service, int] = field(
        default_factory=lambda: {Service.PARCEL: 120, Service.CLEANING: 44, Service.REPAIR: 36}
    )
    residents: int = 300
    passages: int = 450
    outage_h: tuple[float, float] = (12.5, 14.5)
    broker_killed_h: float = 17
    card_expired_h: tuple[float, float] = (15, 17.4)
    live_orders: int = 8


@dataclass(frozen=True, slots=True)
class PlannedOrder:
    """One order as it was agreed.

    Attributes:
        order: id.
        service: its pack.
        worker: who promised it.
        resident: pseudonymous id of who ordered it.
        at_ms: the agreed time, ms since the epoch.
        created_at_ms: when it is created; None for before the day.
    """

    order: str
    service: Service
    worker: str
    resident: str
    at_ms: int
    created_at_ms: int | None = None

    def promised_at_ms(self) -> dict[str, int]:
        """Give the promised moment of each node, as the pack says."""
        nodes = PACKS[self.service].nodes
        return {node.node: self.at_ms + node.after_minutes * MINUTE_MS for node in nodes}


@dataclass(frozen=True, slots=True)
class Act:
    """One thing that one person does at one device.

    Attributes:
        at_ms: ms since the epoch; later when the person before still stands there.
        device: which gate, or the kiosk.
        text: the card or the foreign code; "" for a code of an order.
        action, order: which code of which order is scanned; None for a card.
    """

    at_ms: int
    device: str
    text: str = ""
    action: CodeAction | None = None
    order: str = ""


@dataclass(frozen=True, slots=True)
class Visit:
    """What one person does in sequence; `acts` is never empty and in order of time."""

    person: str
    acts: tuple[Act, ...]


@dataclass(frozen=True, slots=True)
class Renewal:
    """A worker's expired card is made valid again."""

    at_ms: int
    worker: Person


@dataclass(frozen=True, slots=True)
class DayPlan:
    """Everything that will be promised and done.

    Attributes:
        shape: how large the day is.
        midnight_ms: ms since the epoch at 00:00 of the day.
        cast: who appears.
        orders: in order of the agreed time.
        visits: in order of their first act.
        expiry_ms: cards that end during or before the day, by person.
        renewals: cards made valid again.
    """

    shape: DayShape
    midnight_ms: int
    cast: Cast
    orders: tuple[PlannedOrder, ...]
    visits: tuple[Visit, ...]
    expiry_ms: dict[str, int]
    renewals: tuple[Renewal, ...]

    def hour_ms(self, hour: float) -> int:
        """Give the moment of an hour of this day, ms since the epoch."""
        return self.midnight_ms + int(hour * HOUR_MS)
