"""Cuts the power of a real file system under load: python -m simulators.campaigns.cuts --cuts 500.

Needs root and loop devices. Exit status 1 when anything said to be durable was lost.
"""

import argparse
import json
import sys
import time
from collections.abc import Sequence

from simulators.campaigns.sharing import folder_in_memory
from simulators.power.cutting import cut_box, cut_headquarters
from simulators.power.disk import can_mount


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the campaign; 0 when nothing was lost."""
    parser = argparse.ArgumentParser(
        prog="python -m simulators.campaigns.cuts", description=__doc__
    )
    parser.add_argument("--cuts", type=int, default=100)
    parser.add_argument("--at", choices=("box", "headquarters"), default="box")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--control", action="store_true", help="commit without a sync; must fail")
    options = parser.parse_args(arguments)
    if not can_mount():
        sys.stderr.write("this campaign mounts disks: run it as root, with e2fsprogs installed\n")
        return 2
    began_s = time.monotonic()
    act = cut_box if options.at == "box" else cut_headquarters
    with folder_in_memory("cuts") as folder:
        cuts = act(folder, options.cuts, options.seed, is_control=options.control)
    figures = {
        "at": options.at,
        "seed": options.seed,
        "control": options.control,
        **cuts.summary(),
        "seconds": round(time.monotonic() - began_s, 1),
    }
    sys.stdout.write(json.dumps(figures) + "\n")
    return int(cuts.failed > 0)


if __name__ == "__main__":
    sys.exit(main())
