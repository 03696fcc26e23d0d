"""Flips bits of cards and puts old ones back: python -m simulators.campaigns.cards --cards 10000.

Exit status 1 when one was not noticed.
"""

import argparse
import json
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from simulators.campaigns.sharing import folder_in_memory, shared
from simulators.power.cards import Cards, spoil

PART_CARDS: Final = 5_000


@dataclass(frozen=True, slots=True)
class Part:
    """Cards that one process looks at; the seed decides them."""

    cards: int
    seed: int
    is_control: bool


def play(part: Part) -> Cards:
    """Look at the cards of one part."""
    with folder_in_memory("cards") as folder:
        return spoil(folder, part.cards, part.seed, is_control=part.is_control)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the campaign; 0 when every one was noticed."""
    parser = argparse.ArgumentParser(
        prog="python -m simulators.campaigns.cards", description=__doc__
    )
    parser.add_argument("--cards", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=1, help="processes")
    parser.add_argument(
        "--control", action="store_true", help="look with integrity_check; must fail"
    )
    options = parser.parse_args(arguments)
    began_s = time.monotonic()
    parts = [
        Part(min(PART_CARDS, options.cards - first), options.seed + number, options.control)
        for number, first in enumerate(range(0, options.cards, PART_CARDS))
    ]
    done = Cards()
    for one in shared(options.jobs, play, parts):
        done.add(one)
        if sys.stderr.isatty():
            sys.stderr.write(f"\r{done.flipped} cards, {done.failed} failed ")
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
