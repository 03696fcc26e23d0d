"""Simulated devices as a process of their own, and a box that finds them by their ports."""

import asyncio
import json
import os
import signal
import sys
from pathlib import Path
from typing import Any

import pytest

from agreed.words import RemedyError
from firmware_interfaces.observations import Seen
from simulators.devices.playing import play
from simulators.devices.scenario import Scenario
from tests.firmware_interfaces.worlds import KEY, Box, line_for, reader_table

SCENARIO = f"""
seed = 7
[[wire]]
link = "tty-gate"
baud = 115200
[wire.faults]
flipped_ppm = 2000
dropped_ppm = 500
doubled_ppm = 500
cut_ppm = 5000
flooded_ppm = 2000
slow_ppm = 20000
slow_ms = 100
[[wire.devices]]
kind = "gate_reader"
name = "gate"
key = "{KEY.hex()}"
[[wire]]
link = "tty-desk"
[[wire.devices]]
kind = "scanner"
name = "desk"
[[act]]
device = "gate"
do = "show"
args = ["32:{{n:08x}}"]
times = 200
every_ms = 250
[[act]]
at_ms = 200
device = "desk"
do = "read_out"
args = ["CODE-{{n}}"]
times = 200
every_ms = 250
"""
DESK = {"family": "scanner", "devices": [{"name": "desk", "codes": "any"}]}


def test_a_process_of_devices_serves_a_box_and_ends_when_told(tmp_path: Path) -> None:
    (tmp_path / "day.toml").write_text(SCENARIO)
    command = (sys.executable, "-m", "simulators.devices", str(tmp_path / "day.toml"))

    async def scene() -> None:
        process = await asyncio.create_subprocess_exec(
            *command, "--folder", str(tmp_path), stdout=asyncio.subprocess.PIPE
        )
        assert process.stdout is not None
        ready = json.loads(await process.stdout.readline())["ready"]
        assert ready == {"gate": str(tmp_path / "tty-gate"), "desk": str(tmp_path / "tty-desk")}
        lines = line_for(reader_table(("gate", 0)), ready["gate"]), line_for(DESK, ready["desk"])
        async with Box(*lines) as box:
            await box.until(Seen.CARD, 3)
            await box.until(Seen.CODE, 3)
            process.send_signal(signal.SIGTERM)
            output, _ = await process.communicate()
            assert process.returncode == 0
            told = [json.loads(line) for line in output.splitlines()]
            cards = {one["value"] for one in told if one["seen"] == "CARD"}
            observed = [o.value for o in box.seen(Seen.CARD)]
            assert cards <= set(observed)
            assert len(set(observed)) == len(observed)

    asyncio.run(scene())
    assert not os.path.lexists(tmp_path / "tty-gate")


def test_a_scenario_ends_by_itself_and_tells_what_crossed(tmp_path: Path) -> None:
    table = {
        "for_ms": 700,
        "wire": [{"link": "a", "devices": [{"kind": "scanner", "name": "desk"}]}],
        "act": [{"device": "desk", "do": "read_out", "args": ["CODE"]}],
    }
    told: list[dict[str, Any]] = []
    asyncio.run(play(Scenario.model_validate(table), tmp_path, told.append))
    assert told[0] == {"ready": {"desk": str(tmp_path / "a")}}
    assert [(one["seen"], one["value"]) for one in told[1:]] == [("CODE", "CODE")]


def test_a_device_that_cannot_be_made_is_one_sentence(tmp_path: Path) -> None:
    table = {"wire": [{"link": "a", "devices": [{"kind": "scanner", "name": "d", "legs": 4}]}]}
    told: list[dict[str, Any]] = []
    with pytest.raises(RemedyError, match="legs"):
        asyncio.run(play(Scenario.model_validate(table), tmp_path, told.append))
