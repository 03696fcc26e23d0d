"""Plays many seeds of the journal's front door, or hunts a planted bug, and prints what it saw."""

import argparse
import json
import sys
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from edge.acceptance import Acceptance
from simulators.campaigns.sharing import folder_in_memory, shared
from simulators.world.card import card_files
from simulators.world.door import Passed, pass_door, quiet
from simulators.world.door_bugs import DOOR_BUGS

CARD_LIES: Final = "card-lies"
PLANTS: Final = (*DOOR_BUGS, CARD_LIES)
SEEDS_PER_BUG_MAX: Final = 100
PART_SEEDS: Final = 50
_SHOWN_SEEDS_MAX: Final = 20


@dataclass(slots=True)
class Tally:
    """What many seeds came to; counts as in `simulators.world.door.Passed`."""

    seeds: int = 0
    offered: int = 0
    taken: int = 0
    refused: int = 0
    lives: int = 0
    events: int = 0
    faults: Counter[str] = field(default_factory=Counter)
    failed: int = 0

    def add(self, passed: Passed) -> None:
        """Count a seed."""
        self.seeds += 1
        self.offered += passed.offered
        self.taken += passed.taken
        self.refused += passed.refused
        self.lives += passed.lives
        self.events += passed.events
        self.faults += passed.faults
        self.failed += bool(passed.broken)

    def summary(self) -> dict[str, Any]:
        """Give the figures as they are printed."""
        return {
            "seeds": self.seeds,
            "failed": self.failed,
            "rate_below": round(3 / self.seeds, 6) if self.seeds and not self.failed else None,
            "records_offered": self.offered,
            "records_taken": self.taken,
            "records_refused": self.refused,
            "lives": self.lives,
            "events": self.events,
            "faults": dict(sorted(self.faults.items())),
        }


def play_range(seeds: range, plant: str | None = None) -> list[Passed]:
    """Play seeds, with a planted bug or without; with one, only to the first that catches it."""
    played = []
    make = DOOR_BUGS.get(plant or "", Acceptance)
    with folder_in_memory("door") as folder, card_files() as files, quiet():
        for seed in seeds:
            where = Path(folder) / f"seed-{seed}"
            played.append(pass_door(files, where, seed, make, is_lying=plant == CARD_LIES))
            if plant is not None and played[-1].broken:
                break
    return played


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the campaign; 0 when nothing was wrong, or when every planted bug was caught."""
    parser = argparse.ArgumentParser(
        prog="python -m simulators.campaigns.door", description=__doc__
    )
    parser.add_argument("--seeds", type=int, default=SEEDS_PER_BUG_MAX)
    parser.add_argument("--from", dest="first", type=int, default=0)
    parser.add_argument("--plant", choices=[*PLANTS, "all"])
    parser.add_argument("--seconds", type=float, default=float("inf"), help="stop after so long")
    parser.add_argument("--jobs", type=int, default=1, help="processes")
    options = parser.parse_args(arguments)
    seeds = range(options.first, options.first + options.seeds)
    if options.plant is not None:
        return _hunt(PLANTS if options.plant == "all" else (options.plant,), seeds)
    tally, began_s = Tally(), time.monotonic()
    parts = [seeds[at : at + PART_SEEDS] for at in range(0, len(seeds), PART_SEEDS)]
    for part in shared(options.jobs, play_range, parts, options.seconds):
        for passed in part:
            tally.add(passed)
            _tell(passed, options.seeds)
    figures = {"from": options.first, "seconds": round(time.monotonic() - began_s, 1)}
    _say(json.dumps(tally.summary() | figures))
    return int(tally.failed > 0)


def _hunt(plants: Sequence[str], seeds: range) -> int:
    missed = 0
    for plant in plants:
        last = next(iter(play_range(seeds, plant)[-1:]), None)
        is_caught = last is not None and bool(last.broken)
        missed += not is_caught
        _say(
            f"{plant}: "
            + (f"caught by seed {last.seed}: {last.broken[0]}" if last and is_caught else "MISSED")
        )
    _say(json.dumps({"planted": len(plants), "missed": missed}))
    return int(missed > 0)


def _tell(passed: Passed, seeds: int) -> None:
    if passed.broken:
        _say(f"seed {passed.seed} trace {passed.trace}: {'; '.join(passed.broken)}")
    elif seeds <= _SHOWN_SEEDS_MAX:
        _say(f"seed {passed.seed} trace {passed.trace}: nothing wrong")


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
