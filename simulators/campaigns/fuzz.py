"""Throws hostile inputs at every decoder, and prints how many, what was taken, and what broke."""

import argparse
import json
import resource
import sys
import time
import tracemalloc
from collections.abc import Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Final

from simulators.campaigns.files import file_targets
from simulators.campaigns.sharing import folder_in_memory, shared
from simulators.campaigns.targets import Target, make_targets

MEMORY_BYTES_MAX: Final = 64 * 1024 * 1024
"""What one input may cost a decoder at most."""

GROWTH_BYTES_MAX: Final = 512 * 1024 * 1024
"""What the whole process may grow by."""

MEASURED_EVERY: Final = 1_000
SHOWN_MAX: Final = 20
PART_INPUTS: Final = 250_000
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
        before_bytes = _peak_bytes()
        if is_measured:
            tracemalloc.start()
        try:
            attacked.taken += target.decode(data)
        except target.errors:
            pass
        except Exception as error:  # noqa: BLE001 - finding any other error is the purpose
            self._note(target, f"{type(error).__name__}: {error}"[:200], data)
        grown_bytes = _peak_bytes() - before_bytes
        if grown_bytes > MEMORY_BYTES_MAX:
            self._note(target, f"grew the process by {grown_bytes} bytes", data)
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


@dataclass(frozen=True, slots=True)
class Part:
    """Inputs that one process throws; the seed decides them."""

    inputs: int
    seed: int


@dataclass(slots=True)
class Thrown:
    """What came of a part, or of many.

    Attributes:
        attacked: by decoder.
        broken: as `Campaign.broken`.
        grown_bytes: by how much the process grew after the first inputs, at most.
    """

    attacked: dict[str, Attacked] = field(default_factory=dict)
    broken: list[tuple[str, str, str]] = field(default_factory=list)
    grown_bytes: int = 0

    def add(self, other: "Thrown") -> None:
        """Count what another part came to."""
        for name, one in other.attacked.items():
            mine = self.attacked.setdefault(name, Attacked())
            mine.inputs += one.inputs
            mine.taken += one.taken
            mine.bytes_max = max(mine.bytes_max, one.bytes_max)
        self.broken += other.broken[: SHOWN_MAX - len(self.broken)]
        self.grown_bytes = max(self.grown_bytes, other.grown_bytes)


def throw(part: Part) -> Thrown:
    """Throw the inputs of one part."""
    with folder_in_memory("fuzz") as folder:
        campaign = Campaign([*make_targets(folder), *file_targets(folder)], part.seed)
        warm = min(part.inputs, _WARM_INPUTS)
        campaign.run(warm)
        warm_bytes = _peak_bytes()
        campaign.run(part.inputs - warm)
    return Thrown(campaign.attacked, campaign.broken, _peak_bytes() - warm_bytes)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the campaign; 0 when nothing broke."""
    parser = argparse.ArgumentParser(prog="python -m simulators.campaigns.fuzz")
    parser.add_argument("--inputs", type=int, default=100_000)
    parser.add_argument("--from", dest="seed", type=int, default=0)
    parser.add_argument("--jobs", type=int, default=1, help="processes")
    parser.add_argument("--seconds", type=float, default=float("inf"), help="stop after so long")
    options = parser.parse_args(arguments)
    began_s = time.monotonic()
    parts = [
        Part(min(PART_INPUTS, options.inputs - first), options.seed + number)
        for number, first in enumerate(range(0, options.inputs, PART_INPUTS))
    ]
    thrown = Thrown()
    for one in shared(options.jobs, throw, parts, options.seconds):
        thrown.add(one)
    for name, what, data in thrown.broken:
        _say(f"{name}: {what}: {data[:400]}")
    _say_figures(thrown, time.monotonic() - began_s, options.seed)
    return int(bool(thrown.broken) or thrown.grown_bytes > GROWTH_BYTES_MAX)


def _say_figures(thrown: Thrown, took_s: float, seed: int) -> None:
    inputs = sum(one.inputs for one in thrown.attacked.values())
    decoders = {
        name: {"inputs": one.inputs, "taken": one.taken, "bytes_max": one.bytes_max}
        for name, one in thrown.attacked.items()
    }
    figures = {
        "inputs": inputs,
        "broken": len(thrown.broken),
        "rate_below": None if thrown.broken or not inputs else 3 / inputs,
        "grown_bytes": thrown.grown_bytes,
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
