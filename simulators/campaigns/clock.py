"""Boots boxes in 1970 and moves their clocks: python -m simulators.campaigns.clock --boots 1000.

Exit status 1 when the true time of a record lies outside its stated bound.
"""

import argparse
import json
import sys
import time
from collections.abc import Sequence
from functools import partial
from typing import Any, Final

import numpy as np

from agreed.records import Int64s
from simulators.campaigns.sharing import shared
from simulators.world.timing import Timed, time_boot

_PERCENTILES: Final = (50, 90, 99, 100)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the campaign; 0 when every true time lies within its bound."""
    parser = argparse.ArgumentParser(
        prog="python -m simulators.campaigns.clock", description=__doc__
    )
    parser.add_argument("--boots", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=1, help="processes")
    parser.add_argument("--control", action="store_true", help="trust the wall clock; must fail")
    options = parser.parse_args(arguments)
    began_s = time.monotonic()
    timed = Timed()
    seeds = range(options.seed, options.seed + options.boots)
    for one in shared(options.jobs, partial(time_boot, is_control=options.control), seeds):
        timed.add(one)
    figures = {
        "boots": options.boots,
        "seed": options.seed,
        "control": options.control,
        "records": timed.records,
        "claimed": _told(timed.claimed_unset, timed.claimed_beyond, timed.claimed_ms),
        "corrected": _told(timed.corrected_unset, timed.corrected_beyond, timed.corrected_ms),
        "seconds": round(time.monotonic() - began_s, 1),
    }
    sys.stdout.write(json.dumps(figures) + "\n")
    return int(timed.claimed_beyond + timed.corrected_beyond > 0)


def _told(unset: int, beyond: int, widths_ms: list[Int64s]) -> dict[str, Any]:
    together = np.concatenate(widths_ms)
    if not len(together):
        return {"unset": unset, "beyond": beyond, "bound_ms": {}}
    found = np.percentile(together, _PERCENTILES, method="higher").astype(np.int64)
    percentiles = {f"p{p}": int(w) for p, w in zip(_PERCENTILES, found, strict=True)}
    return {"unset": unset, "beyond": beyond, "bound_ms": percentiles}


if __name__ == "__main__":
    sys.exit(main())
