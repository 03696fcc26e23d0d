"""Throws hostile inputs at every decoder, and prints how many, what was taken, and what broke."""

import argparse
import json
import resource
import sys
import tempfile
import time
import tracemalloc
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Final

from simulators.campaigns.targets import Target, make_targets

MEMORY_BYTES_MAX: Final = 64 * 1024 * 1024
"""What one input may cost a decoder at most."""

GROWTH_BYTES_MAX: Final = 512 * 1024 * 1024
"""What the whole process may grow by."""

MEASURED_EVERY: Final = 1_000
SHOWN_MAX: Final = 20
_WARM_INPUTS: Final = 20_000


@dataclass(slots=True)
class Attacked:
    """What came of the attack on one decoder.

    Attributes:
        inputs: how many.
        taken: how many of them the decoder found good.
        bytes_max: the most memory that a measured input cost.
    """

    inputs: int = 0
    taken: int = 0
    bytes_max: int = 0


class Campaign:
    """Attacks decoders in turn, by their weights.

    Attributes:
        attacked: by decoder.
        broken: inputs that broke a rule: decoder, what happened, the input in hex.
    """

    def __init__(self, targets: list[Target], seed: int) -> None:
        self.attacked = {target.name: Attacked() for target in targets}
        self.broken: list[tuple[str, str, str]] = []
        self._targets = targets
        self._weights = [target.weight for target in targets]
        self._dice = Random(seed)

    def run(self, inputs: int) -> None:
        """Throw so many inputs."""
        chosen = self._dice.choices(self._targets, self._weights, k=inputs)
        for number, target in enumerate(chosen):
            self._throw(target, is_measured=number % MEASURED_EVERY == 0)

    def _throw(self, target: Target, *, is_measured: bool) -> None:
        attacked = self.attacked[target.name]
        attacked.inputs += 1
        data = target.hostile(self._dice)
        if is_measured:
            tracemalloc.start()
        try:
            attacked.taken += target.decode(data)
        except target.errors:
            pass
        except Exception as error:  # noqa: BLE001 - finding any other error is the purpose
            self._note(target, f"{type(error).__name__}: {error}"[:200], data)
        if is_measured:
            peak_bytes = tracemalloc.get_traced_memory()[1]
            tracemalloc.stop()
            attacked.bytes_max = max(attacked.bytes_max, peak_bytes)
            if peak_bytes > MEMORY_BYTES_MAX:
                self._note(target, f"took {peak_bytes} bytes", data)

    def _note(self, target: Target, what: str, data: bytes) -> None:
        is_known = any(other[:2] == (target.name, what) for other in self.broken)
        if not is_known and len(self.broken) < SHOWN_MAX:
            self.broken.append((target.name, what, data.hex()))


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the campaign; 0 when nothing broke."""
    parser = argparse.ArgumentParser(prog="python -m simulators.campaigns.fuzz")
    parser.add_argument("--inputs", type=int, default=100_000)
    parser.add_argument("--from", dest="seed", type=int, default=0)
    options = parser.parse_args(arguments)
    began_s = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="duifu-fuzz-") as folder:
        campaign = Campaign(make_targets(Path(folder)), options.seed)
        campaign.run(min(options.inputs, _WARM_INPUTS))
        warm_bytes = _peak_bytes()
        left = options.inputs - _WARM_INPUTS
        while left > 0:
            campaign.run(min(left, _WARM_INPUTS))
            left -= _WARM_INPUTS
    grown_bytes = _peak_bytes() - warm_bytes
    for name, what, data in campaign.broken:
        _say(f"{name}: {what}: {data[:400]}")
    _say_figures(campaign, grown_bytes, time.monotonic() - began_s, options.seed)
    return int(bool(campaign.broken) or grown_bytes > GROWTH_BYTES_MAX)


def _say_figures(campaign: Campaign, grown_bytes: int, took_s: float, seed: int) -> None:
    inputs = sum(one.inputs for one in campaign.attacked.values())
    decoders = {
        name: {"inputs": one.inputs, "taken": one.taken, "bytes_max": one.bytes_max}
        for name, one in campaign.attacked.items()
    }
    figures = {
        "inputs": inputs,
        "broken": len(campaign.broken),
        "rate_below": None if campaign.broken or not inputs else 3 / inputs,
        "grown_bytes": grown_bytes,
        "from": seed,
        "seconds": round(took_s, 1),
        "decoders": decoders,
    }
    _say(json.dumps(figures))


def _peak_bytes() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
