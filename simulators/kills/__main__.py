"""Kills the durable path under load and says what was lost: python -m simulators.kills --box 100.

Prints one JSON object; exit status 1 when anything was lost or doubled. With --control the box
takes the broker's PUBACK for headquarters' word: that campaign must fail.
"""

import argparse
import asyncio
import json
import shutil
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from simulators.kills.campaign import Plan, run


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one campaign, in rounds that each begin with empty files."""
    parser = argparse.ArgumentParser(prog="python -m simulators.kills", description=__doc__)
    for name in ("box", "headquarters", "broker", "wipes"):
        parser.add_argument(f"--{name}", type=int, default=0, help="how many times in a round")
    parser.add_argument("--boxes", type=int, default=1, help="that share headquarters")
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--seed", type=int, default=1, help="of the first round")
    parser.add_argument("--kiosks", type=int, default=4, help="at each box")
    parser.add_argument("--rate", type=int, default=0, help="scans a second; 0 for unthrottled")
    parser.add_argument("--control", action="store_true", help="trust the broker; must fail")
    parser.add_argument("--exec", action="store_true", help="start every process from nothing")
    parser.add_argument("--folder", type=Path, default=Path("var"), help="on the disk to use")
    asked = parser.parse_args(arguments)
    asked.folder.mkdir(parents=True, exist_ok=True)
    is_clean = True
    for number in range(asked.rounds):
        plan = _plan(asked, asked.seed + number)
        folder = Path(tempfile.mkdtemp(prefix=f"seed-{plan.seed}-", dir=asked.folder)).absolute()
        done = asyncio.run(run(plan, folder))
        sys.stdout.write(json.dumps(asdict(plan) | done.as_dict()) + "\n")
        sys.stdout.flush()
        assert done.verdict is not None
        is_clean &= done.verdict.is_clean
        if done.verdict.is_clean:
            shutil.rmtree(folder)  # what is not clean is left for whoever must find out why
    return 0 if is_clean else 1


def _plan(asked: argparse.Namespace, seed: int) -> Plan:
    return Plan(
        box=asked.box,
        headquarters=asked.headquarters,
        broker=asked.broker,
        wipes=asked.wipes,
        boxes=asked.boxes,
        seed=seed,
        kiosks=asked.kiosks,
        rate_per_s=asked.rate,
        is_trusting=asked.control,
        is_executed=asked.exec,
    )


if __name__ == "__main__":
    sys.exit(main())
