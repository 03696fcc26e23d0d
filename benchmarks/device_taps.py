"""How long a tap takes: from a card at a simulated reader, through the real box, to its output.

python -m benchmarks.device_taps [--taps 300] [--json]

The box is `duifu edge run` in a process of its own, with its journal, twenty thousand cards and a
headquarters that does not answer; the wire is a PTY paced to the baud. The floor is what the
protocol itself costs: the wait until a whole poll has come, at which the reader may first speak,
and the bytes of card and command.
"""

import argparse
import asyncio
import contextlib
import json
import os
import random
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, Final

from agreed.directives import PutCredential, Role, encode_directive
from agreed.machine import Moment
from agreed.records import ClockState, Durability
from edge.clock import Stamp
from edge.config import read_settings
from edge.decisions import keyed_digest
from edge.learned import FILE as LEARNED_FILE
from edge.learned import LearnedStore
from edge.site import Site
from firmware_interfaces.observations import Admit, Observation, Seen
from simulators.devices.gate_reader import GateReader, TapOutcome
from simulators.devices.wire import PtyWire

KEY: Final = "0102030405060708090a0b0c0d0e0f10"
CARDS_COUNT: Final = 20_000
DECISIONS_COUNT: Final = 20_000
PAUSE_S: Final = 0.25  # output, LED and buzzer of the last tap are over by then
PAUSE_RANDOM_S: Final = 0.4  # so that a tap falls anywhere between two polls
WAIT_S: Final = 8.0
READY_S: Final = 60.0
TAP_BYTES: Final = 31 + 31  # a card of 32 bits and an output command, with their marks, as captured
POLL_MS: Final = 50  # from the last answer of a reader to its next poll
POLL_BYTES: Final = 15 + 14  # a secured poll and its acknowledgement
FOREVER_MS: Final = 4_000_000_000_000
STAMP: Final = Stamp(0, 1_000, 10, ClockState.SYNCED)


def _card(number: int) -> str:
    return f"32:{number:08x}"


def _credentials() -> list[PutCredential]:
    return [
        PutCredential(
            card=_card(number),
            subject=f"r-{number}",
            role=Role.RESIDENT,
            valid_from_ms=0,
            valid_until_ms=FOREVER_MS,
        )
        for number in range(CARDS_COUNT)
    ]


def _prepare(folder: Path, baud: int) -> Path:
    """Write a box's settings and have it know its cards; gives the settings file."""
    (folder / "data").mkdir()
    store = LearnedStore(folder / "data" / LEARNED_FILE)
    store.apply("benchmark", 1, [encode_directive(one) for one in _credentials()])
    store.close()
    path = folder / "box.toml"
    path.write_text(
        f'company = "c"\nsite = "s"\nbox = "b"\ndata = "data"\nalive_s = 3600\n'
        f'[headquarters]\nurl = "mqtt://127.0.0.1:9"\n'
        f'[[gate]]\nreader = "gate"\nopen_ms = 500\n'
        f'[[line]]\nfamily = "osdp"\nport = "{folder}/tty"\nbaud = {baud}\n'
        f'devices = [{{ name = "gate", address = 0, key = "{KEY}" }}]\n',
        "utf-8",
    )
    return path


@contextlib.asynccontextmanager
async def _box(config: Path) -> AsyncIterator[None]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "duifu", "edge", "run", "--config", str(config)),
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        yield
    finally:
        process.terminate()
        await process.wait()


async def taps(baud: int, count: int) -> dict[str, Any]:
    """One person after another, at random moments of the poll."""
    dice = random.Random(baud)
    reader = GateReader("gate", key=bytes.fromhex(KEY))
    took_ms: list[float] = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        config = _prepare(folder, baud)
        async with PtyWire([reader], folder / "tty", baud=baud), _box(config):
            async with asyncio.timeout(READY_S):
                while not reader.is_online:  # noqa: ASYNC110  # what is looked at rings no bell
                    await asyncio.sleep(0.05)
            await asyncio.sleep(1.0)
            for _ in range(count):
                took_ms += await _tap(reader, dice)
    wire_ms = TAP_BYTES * 10_000 / baud
    interval_ms = POLL_MS + POLL_BYTES * 10_000 / baud
    cuts = statistics.quantiles(took_ms, n=100)
    return {
        "what": "tap to output command, through the box",
        "baud": baud,
        "n": len(took_ms),
        "p50_ms": round(cuts[49], 1),
        "floor_p50_ms": round(wire_ms + interval_ms / 2, 1),
        "p90_ms": round(cuts[89], 1),
        "p99_ms": round(cuts[98], 1),
        "floor_p99_ms": round(wire_ms + interval_ms * 0.99, 1),
        "max_ms": round(max(took_ms), 1),
    }


async def _tap(reader: GateReader, dice: random.Random) -> list[float]:
    reader.told.clear()
    began_ns = time.monotonic_ns()
    outcome = await reader.tap(_card(dice.randrange(CARDS_COUNT)), wait_s=WAIT_S)
    assert outcome is TapOutcome.ADMITTED, outcome
    took = [(told.mono_ns - began_ns) / 1e6 for told in reader.told if "output_no" in told.command]
    await asyncio.sleep(PAUSE_S + dice.random() * PAUSE_RANDOM_S)
    return took


def decisions(count: int) -> dict[str, Any]:
    """The decision at the gate alone: what the box does between a card and the command."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        site = Site(read_settings(_prepare(folder, 9_600)), {}, keyed_digest(bytes(32)))
        for credential in _credentials():
            site.known.learn(credential)
    dice = random.Random(1)
    took_ns: list[int] = []
    for number in range(count):
        is_known = number % 10
        card = _card(dice.randrange(CARDS_COUNT) + (0 if is_known else CARDS_COUNT))
        observation = Observation("gate", Seen.CARD, Moment(number, number), value=card)
        began_ns = time.perf_counter_ns()
        (decision,) = site.observed(observation, STAMP)
        took_ns.append(time.perf_counter_ns() - began_ns)
        assert isinstance(decision.at_once[0], Admit) == bool(is_known)
        assert decision.durability is Durability.PASSAGE
    cuts = statistics.quantiles(took_ns, n=100)
    return {
        "what": "decision at the gate",
        "cards": CARDS_COUNT,
        "n": count,
        "p50_ms": round(cuts[49] / 1e6, 4),
        "p99_ms": round(cuts[98] / 1e6, 4),
        "max_ms": round(max(took_ns) / 1e6, 4),
    }


def main() -> None:
    """Measure, and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="one JSON list")
    parser.add_argument("--taps", type=int, default=300, help="at each speed")
    arguments = parser.parse_args()
    rows = [
        decisions(DECISIONS_COUNT),
        *(asyncio.run(taps(baud, arguments.taps)) for baud in (9_600, 115_200)),
    ]
    rows = [row | {"load": round(os.getloadavg()[0], 1)} for row in rows]
    if arguments.json:
        print(json.dumps(rows, indent=1))
        return
    for row in rows:
        print("  ".join(f"{key}={value}" for key, value in row.items()))


if __name__ == "__main__":
    main()
