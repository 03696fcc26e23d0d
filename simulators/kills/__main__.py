"""Kills the durable path under load and says what was lost: python -m simulators.kills --box 100.

Prints one JSON object; exit status 1 when anything was lost or doubled. With --control the box
takes the broker's PUBACK for headquarters' word: that campaign must fail.
"""

import argparse
import asyncio
import json
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path

from simulators.kills.campaign import Plan, run


def main() -> int:
    """Run one campaign."""
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("box", "headquarters", "broker", "wipes"):
        parser.add_argument(f"--{name}", type=int, default=0, help="how many times")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--kiosks", type=int, default=4)
    parser.add_argument("--rate", type=int, default=0, help="scans a second; 0 for unthrottled")
    parser.add_argument("--control", action="store_true", help="trust the broker; must fail")
    parser.add_argument("--folder", type=Path, default=Path("var"), help="on the disk to use")
    asked = parser.parse_args()
    plan = Plan(
        box=asked.box,
        headquarters=asked.headquarters,
        broker=asked.broker,
        wipes=asked.wipes,
        seed=asked.seed,
        kiosks=asked.kiosks,
        rate_per_s=asked.rate,
        is_trusting=asked.control,
    )
    asked.folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=asked.folder) as name:
        done = asyncio.run(run(plan, Path(name).absolute()))
    sys.stdout.write(json.dumps(asdict(plan) | done.as_dict()) + "\n")
    assert done.verdict is not None
    return 0 if done.verdict.is_clean else 1


if __name__ == "__main__":
    sys.exit(main())
