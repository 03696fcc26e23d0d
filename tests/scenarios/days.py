"""Short days for the scenarios: the whole system, less of everything."""

import asyncio
from pathlib import Path

from simulators.cast import Service
from simulators.day import DayShape
from simulators.demonstration import Demonstration, Script, Strike
from simulators.folder import chosen_port

MIDNIGHT_MS = 1_772_380_800_000  # 2 March 2026 in Shanghai
LATENCY_S = 5.0
"""Other tests may keep the machine busy."""

MORNING = DayShape(
    close_h=11,
    orders={Service.PARCEL: 20, Service.CLEANING: 10, Service.REPAIR: 9},
    residents=40,
    passages=60,
    outage_h=(8.5, 9.5),
    broker_killed_h=10,
    card_expired_h=(8, 10),
    live_orders=3,
)


def played(
    folder: Path,
    seed: int,
    speed: int,
    strikes: tuple[Strike, ...] | None = None,
) -> Demonstration:
    """Play a morning to its verdict."""
    script = Script(
        MIDNIGHT_MS,
        seed=seed,
        shape=MORNING,
        speed=speed,
        strikes=strikes,
        latency_s=LATENCY_S,
    )
    day = Demonstration(script, folder, chosen_port(None))
    asyncio.run(day.play())
    return day


def last_words(folder: Path) -> str:
    """Give the ends of the logs, for whoever must find out why."""
    return "\n".join(
        f"{path.name}:\n" + "\n".join(path.read_text("utf-8", "replace").splitlines()[-30:])
        for path in sorted(folder.glob("*.log"))
    )
