"""Who lives and works on the simulated site, and what is promised there; by seed, pure."""

import random
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from agreed.promises import Match
from agreed.records import GATE_PASSED, PARCEL_DEPOSITED, TASK_FINISHED, TASK_STARTED

COMPANY: Final = "hexin"
SITE: Final = "yuhuayuan"
BOX: Final = "box-1"
GATES: Final = ("gate-north", "gate-south")
LOCKER: Final = "locker-1"
KIOSK: Final = "kiosk-1"
COMPARTMENTS: Final = 24

MINUTE_MS: Final = 60_000
HOUR_MS: Final = 60 * MINUTE_MS

_SURNAMES: Final = "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗"
_GIVEN: Final = (
    "伟",
    "芳",
    "秀英",
    "强",
    "磊",
    "洋",
    "艳",
    "勇",
    "军",
    "杰",
    "娟",
    "涛",
    "明",
    "超",
)


class Service(StrEnum):
    """What a product pack delivers; the value is the pack's id."""

    PARCEL = "parcel-delivery"
    CLEANING = "appliance-cleaning"
    REPAIR = "home-repair"


@dataclass(frozen=True, slots=True)
class PackNode:
    """One promised node of a pack.

    Attributes:
        node: key within an order.
        title: what a person reads, zh.
        node_kind: what must happen.
        match: which record proves it.
        after_ms: promised this long after the order's own time.
        opens_before_ms: records count from this long before the promised time.
        tolerance_ms, hard_ms: as in `agreed.promises.Promise`.
        rate_fen: piece rate at full score.
        weight: share of the order's score.
    """

    node: str
    title: str
    node_kind: str
    match: Match
    after_ms: int
    opens_before_ms: int
    tolerance_ms: int
    hard_ms: int
    rate_fen: int
    weight: int = 1


@dataclass(frozen=True, slots=True)
class Pack:
    """A product pack: nodes, promises and rewards as a template."""

    service: Service
    title: str
    nodes: tuple[PackNode, ...]


def _arrive(rate_fen: int) -> PackNode:
    return PackNode(
        "arrive",
        "到场",
        GATE_PASSED,
        Match.BY_WORKER,
        after_ms=0,
        opens_before_ms=45 * MINUTE_MS,
        tolerance_ms=15 * MINUTE_MS,
        hard_ms=60 * MINUTE_MS,
        rate_fen=rate_fen,
    )


def _task(node: str, title: str, kind: str, after_minutes: int, rate_fen: int) -> PackNode:
    return PackNode(
        node,
        title,
        kind,
        Match.BY_ORDER,
        after_ms=after_minutes * MINUTE_MS,
        opens_before_ms=45 * MINUTE_MS,
        tolerance_ms=15 * MINUTE_MS,
        hard_ms=60 * MINUTE_MS,
        rate_fen=rate_fen,
        weight=2,
    )


PACKS: Final = {
    pack.service: pack
    for pack in (
        Pack(
            Service.PARCEL,
            "快递与团购入柜",
            (_arrive(20), _task("deposit", "入柜", PARCEL_DEPOSITED, 20, 80)),
        ),
        Pack(
            Service.CLEANING,
            "家电清洗",
            (
                _arrive(300),
                _task("start", "开工", TASK_STARTED, 10, 500),
                _task("finish", "按标准验收", TASK_FINISHED, 50, 3_200),
            ),
        ),
        Pack(
            Service.REPAIR,
            "入户维修",
            (
                _arrive(300),
                _task("start", "开工", TASK_STARTED, 8, 400),
                _task("finish", "按标准验收", TASK_FINISHED, 35, 2_300),
            ),
        ),
    )
}


@dataclass(frozen=True, slots=True)
class Person:
    """A worker or a resident.

    Attributes:
        id: pseudonymous; what a record carries as subject.
        name: what a person reads; "" for residents, whom headquarters need not know by name.
        card: "26:hex8", as a reader sends it.
    """

    id: str
    name: str
    card: str


@dataclass(frozen=True, slots=True)
class Cast:
    """Everybody who appears.

    Attributes:
        workers: by the service they do.
        residents: everybody at home on the site.
        foreign_cards: cards of nobody.
    """

    workers: dict[Service, tuple[Person, ...]]
    residents: tuple[Person, ...]
    foreign_cards: tuple[str, ...]

    def everyone_working(self) -> list[Person]:
        """All workers, in order of id."""
        return sorted((p for group in self.workers.values() for p in group), key=lambda p: p.id)


WORKERS: Final = {Service.PARCEL: 4, Service.CLEANING: 5, Service.REPAIR: 3}
FOREIGN_CARDS: Final = 12


def cast_of(seed: int, residents: int) -> Cast:
    """Invent twelve workers and some residents, every card different."""
    dice = random.Random(f"cast {seed}")
    total = sum(WORKERS.values())
    cards = _cards(dice, total + residents + FOREIGN_CARDS)
    names = _names(dice, total)
    workers: dict[Service, tuple[Person, ...]] = {}
    taken = 0
    for service, count in WORKERS.items():
        numbers = range(taken, taken + count)
        workers[service] = tuple(Person(f"w-{n + 1:02d}", names[n], cards[n]) for n in numbers)
        taken += count
    people = tuple(Person(f"r-{n + 1:03d}", "", cards[total + n]) for n in range(residents))
    return Cast(workers, people, tuple(cards[total + residents :]))


def wiegand_card(facility: int, number: int) -> str:
    """Write a 26-bit card as a reader sends it: parity, facility, number, parity, left-aligned."""
    body = facility << 16 | number
    even = (body >> 12).bit_count() & 1
    odd = 1 - ((body & 0xFFF).bit_count() & 1)
    return f"26:{(even << 25 | body << 1 | odd) << 6:08x}"


def _cards(dice: random.Random, count: int) -> list[str]:
    numbers = dice.sample(range(1, 65_536), count)
    return [wiegand_card(77, number) for number in numbers]


def _names(dice: random.Random, count: int) -> list[str]:
    names: list[str] = []
    while len(names) < count:
        name = dice.choice(_SURNAMES) + dice.choice(_GIVEN)
        if name not in names:
            names.append(name)
    return names
