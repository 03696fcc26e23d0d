"""Plays many seeds of the world, or hunts a planted bug, and prints what it saw."""

import argparse
import gc
import json
import sys
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Final

from simulators.campaigns.sharing import folder_in_memory, shared
from simulators.world.bugs import BUGS
from simulators.world.faults import LONG_SPANS_S, SPANS_S
from simulators.world.playing import Played, Stage, play, stage
from simulators.world.template import make_templates

SEEDS_PER_BUG_MAX: Final = 100
PART_SEEDS: Final = 20
"""Seeds that a process plays before it says what came of them."""

_SHOWN_SEEDS_MAX: Final = 20
_YEAR_S: Final = 365 * 24 * 3_600


@dataclass(slots=True)
class Tally:
    """What many seeds came to.

    Attributes:
        seeds, records, promises, events: how many.
        simulated_s: virtual seconds of a site.
        faults: how often each kind happened.
        failed: seeds that broke a rule, with what they broke.
    """

    seeds: int = 0
    records: int = 0
    promises: int = 0
    events: int = 0
    simulated_s: float = 0.0
    faults: Counter[str] = field(default_factory=Counter)
    failed: dict[int, list[str]] = field(default_factory=dict)

    def add(self, played: Played) -> None:
        """Count a seed."""
        self.seeds += 1
        self.records += played.judgement.records
        self.promises += played.judgement.promises
        self.events += played.events
        self.simulated_s += played.simulated_s
        self.faults += played.faults
        if played.judgement.faults:
            self.failed[played.seed] = played.judgement.faults

    def summary(self) -> dict[str, Any]:
        """Give the figures as they are printed."""
        return {
            "seeds": self.seeds,
            "failed": len(self.failed),
            "rate_below": round(3 / self.seeds, 6) if self.seeds and not self.failed else None,
            "records_accepted": self.records,
            "promises_judged": self.promises,
            "events": self.events,
            "site_years": round(self.simulated_s / _YEAR_S, 3),
            "faults": dict(sorted(self.faults.items())),
        }


def hunt(on: Stage, plant: str, first: int, seeds_max: int) -> tuple[int, list[str]] | None:
    """Find the first seed that catches a planted bug: how many were played, and what it broke."""
    for number in range(seeds_max):
        faults = play(on, first + number, plant).judgement.faults
        if faults:
            return number + 1, faults
    return None


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the campaign; 0 when nothing was wrong, or when every planted bug was caught."""
    parser = argparse.ArgumentParser(prog="python -m simulators.campaigns.world")
    parser.add_argument("--seeds", type=int, default=SEEDS_PER_BUG_MAX)
    parser.add_argument("--from", dest="first", type=int, default=0)
    parser.add_argument("--plant", choices=[*BUGS, "all"])
    parser.add_argument("--seconds", type=float, default=float("inf"), help="stop after so long")
    parser.add_argument("--jobs", type=int, default=1, help="processes")
    parser.add_argument(
        "--long", action="store_true", help="up to two days in a seed, not twelve hours"
    )
    options = parser.parse_args(arguments)
    if options.plant is not None:
        plants = list(BUGS) if options.plant == "all" else [options.plant]
        with stage() as on:
            return _hunt_all(on, plants, options.first, options.seeds)
    return _play_all(options)


def _hunt_all(on: Stage, plants: list[str], first: int, seeds_max: int) -> int:
    missed = 0
    for plant in plants:
        caught = hunt(on, plant, first, seeds_max)
        missed += caught is None
        _say(f"{plant}: " + (f"caught by seed {caught[0]}: {caught[1][0]}" if caught else "MISSED"))
    _say(json.dumps({"planted": len(plants), "missed": missed}))
    return int(missed > 0)


def play_range(seeds: range, spans_s: Sequence[int], templates: Path) -> list[Played]:
    """Play seeds on a stage of their own, which begin with templates that are there."""
    gc.collect()  # what is dead would be kept for ever with what is frozen
    gc.freeze()
    with stage(templates) as on:
        return [play(on, seed, spans_s=spans_s) for seed in seeds]


def _play_all(options: argparse.Namespace) -> int:
    tally = Tally()
    began_s = time.monotonic()
    end = options.first + options.seeds
    parts = [range(at, min(at + PART_SEEDS, end)) for at in range(options.first, end, PART_SEEDS)]
    spans_s = LONG_SPANS_S if options.long else SPANS_S
    with folder_in_memory("templates") as templates:
        make_templates(templates, spans_s)
        act = partial(play_range, spans_s=spans_s, templates=templates)
        for part in shared(options.jobs, act, parts, options.seconds):
            for played in part:
                tally.add(played)
                _tell(played, options.seeds)
    took_s = time.monotonic() - began_s
    figures = {"from": options.first, "jobs": options.jobs, "seconds": round(took_s, 1)}
    _say(json.dumps(tally.summary() | figures))
    return int(bool(tally.failed))


def _tell(played: Played, seeds: int) -> None:
    if played.judgement.faults:
        _say(f"seed {played.seed} trace {played.trace}: {'; '.join(played.judgement.faults)}")
    elif seeds <= _SHOWN_SEEDS_MAX:
        _say(f"seed {played.seed} trace {played.trace}: nothing wrong")


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
