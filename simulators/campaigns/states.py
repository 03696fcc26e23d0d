"""Replays crash states of recorded journals: python -m simulators.campaigns.states --states 10000.

Exit status 1 when anything accepted was missing from one, or one did not open.
"""

import argparse
import json
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from simulators.campaigns.sharing import folder_in_memory, shared
from simulators.power.states import Replayed, replay

PART_STATES: Final = 5_000


@dataclass(frozen=True, slots=True)
class Part:
    """States that one process replays; the seed decides them."""

    states: int
    seed: int
    is_control: bool


def play(part: Part) -> Replayed:
    """Replay the states of one part."""
    with folder_in_memory("states") as folder:
        return replay(folder, part.states, part.seed, is_control=part.is_control)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the campaign; 0 when nothing was lost."""
    parser = argparse.ArgumentParser(
        prog="python -m simulators.campaigns.states", description=__doc__
    )
    parser.add_argument("--states", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=1, help="processes")
    parser.add_argument("--seconds", type=float, default=float("inf"), help="stop after so long")
    parser.add_argument("--control", action="store_true", help="commit without a sync; must fail")
    options = parser.parse_args(arguments)
    began_s = time.monotonic()
    parts = [
        Part(min(PART_STATES, options.states - first), options.seed + number, options.control)
        for number, first in enumerate(range(0, options.states, PART_STATES))
    ]
    done = Replayed()
    for one in shared(options.jobs, play, parts, options.seconds):
        done.add(one)
        if sys.stderr.isatty():
            sys.stderr.write(f"\r{done.states} states, {done.failed} failed ")
    figures = {
        "seed": options.seed,
        "control": options.control,
        **done.summary(),
        "seconds": round(time.monotonic() - began_s, 1),
    }
    sys.stdout.write(json.dumps(figures) + "\n")
    return int(done.failed > 0)


if __name__ == "__main__":
    sys.exit(main())
