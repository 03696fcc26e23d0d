"""Who lives and works on the simulated site, and what is promised there; by seed, pure."""

import random
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from agreed.directives import CodeAction
from agreed.promises import Match
from agreed.records import (
    GATE_PASSED,
    PARCEL_COLLECTED,
    PARCEL_DEPOSITED,
    TASK_FINISHED,
    TASK_STARTED,
)

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
        name_zh, name_en: what a person reads.
        node_kind: what must happen.
        match: which record proves it.
        after_minutes: promised this long after the order's own time.
        rate_fen: piece rate at full score.
        code: what scanning the node's code does; None for no code.
        opens_minutes: records count from this long before the promised time.
        tolerance_minutes, hard_minutes: as in `agreed.promises.Promise`.
        weight: share of the order's score.
    """

    node: str
    name_zh: str
    name_en: str
    node_kind: str
    match: Match
    after_minutes: int
    rate_fen: int
    code: CodeAction | None = None
    opens_minutes: int = 45
    tolerance_minutes: int = 15
    hard_minutes: int = 60
    weight: int = 2


@dataclass(frozen=True, slots=True)
class Pack:
    """A product pack: nodes, promises and rewards as a template."""

    service: Service
    name_zh: str
    name_en: str
    price_fen: int
    nodes: tuple[PackNode, ...]


_ARRIVE_HOME: Final = PackNode(
    "arrive", "到场", "On site", GATE_PASSED, Match.BY_WORKER, 0, 300, weight=1
)


def _task(node: str, after_minutes: int, rate_fen: int) -> PackNode:
    if node == "start":
        kind, zh, en, code = TASK_STARTED, "开工", "Started", CodeAction.START
    else:
        kind, zh, en, code = TASK_FINISHED, "按标准验收", "Accepted", CodeAction.FINISH
    return PackNode(node, zh, en, kind, Match.BY_ORDER, after_minutes, rate_fen, code)


_ARRIVE_WITH_PARCEL: Final = replace(_ARRIVE_HOME, rate_fen=20)
_DEPOSIT: Final = PackNode(
    "deposit",
    "入柜",
    "In the locker",
    PARCEL_DEPOSITED,
    Match.BY_ORDER,
    20,
    80,
    CodeAction.DEPOSIT,
)
_COLLECT: Final = PackNode(
    "collect",
    "业主取件",
    "Collected",
    PARCEL_COLLECTED,
    Match.BY_ORDER,
    20,
    0,
    CodeAction.COLLECT,
    tolerance_minutes=24 * 60,
    hard_minutes=72 * 60,
    weight=0,
)
"""The resident's own step: recorded, but nobody is paid for it; a parcel may wait for a day."""

PACKS: Final = {
    pack.service: pack
    for pack in (
        Pack(
            Service.PARCEL,
            "快递与团购入柜",
            "Parcel to locker",
            300,
            (_ARRIVE_WITH_PARCEL, _DEPOSIT, _COLLECT),
        ),
        Pack(
            Service.CLEANING,
            "家电清洗",
            "Appliance cleaning",
            16_800,
            (_ARRIVE_HOME, _task("start", 10, 500), _task("finish", 50, 3_200)),
        ),
        Pack(
            Service.REPAIR,
            "入户维修",
            "Home repair",
            12_000,
            (_ARRIVE_HOME, _task("start", 8, 400), _task("finish", 35, 2_300)),
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
