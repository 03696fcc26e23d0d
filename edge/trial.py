"""Leads a person through the trial of one device: what to do, what was expected, what was seen."""

import asyncio
import sys
from collections.abc import Callable
from typing import Any, Final

from agreed.machine import Moment
from agreed.words import marked, say
from edge.bench import Bench
from firmware_interfaces.ble.codec import ReportReader
from firmware_interfaces.discovery.rehearsal import Act, Outcome, Rehearsal
from firmware_interfaces.observations import Observation, Seen
from firmware_interfaces.ports import RADIOS

TICK_S: Final = 0.2
Say = Callable[[str], None]


_ACTS: Final = {
    Act.WAIT: marked("Waiting for the device to answer."),
    Act.TAP: marked("Hold a card to the reader."),
    Act.WATCH_GREEN: marked("The box opens now: look whether it opens."),
    Act.WATCH_RED: marked("The box refuses now: did you see red or hear it?"),
    Act.OPEN: marked("The box opens the compartment now."),
    Act.PULL: marked("Open the door."),
    Act.CLOSE: marked("Close the door."),
    Act.PRESS: marked("Press the exit button."),
    Act.SCAN: marked("Scan a code."),
    Act.CARRY_IN: marked("Bring a badge near."),
    Act.CARRY_OUT: marked("Take the badge away."),
    Act.HEAR_BEEP: marked("The box answers now: did you hear a beep?"),
}
_OUTCOMES: Final = {
    Outcome.SEEN: marked("as it should be"),
    Outcome.NOT_SEEN: marked("NOT seen"),
    Outcome.REFUSED: marked("REFUSED"),
}


def printed(row: dict[str, Any]) -> str:
    """Write one row for a person: who said what, or bytes and their direction."""
    if "seen" in row:
        part = f" {row['part']}" if row.get("part") else ""
        return f"{row['ms']:>9} ms  {row['device']}  {row['seen']}{part} {row['value']}".rstrip()
    arrow = "<-" if row.get("from") == "device" else "->"
    return f"{row.get('ms', 0):>9} ms  {row.get('port', '')} {arrow} {_crossed(row)}"


def _crossed(row: dict[str, Any]) -> str:
    """Write the bytes of one row; what was heard on the air with its address and strength."""
    text: str = row.get("hex", "")
    if not row.get("port", "").startswith(RADIOS):
        return text
    reports = ReportReader().feed(bytes.fromhex(text))
    heard = [f"{r.address.hex(':')} {r.rssi_dbm} dBm {r.data.hex()}" for r in reports]
    return ", ".join(heard) or text


async def led_through(
    rehearsal: Rehearsal, bench: Bench, clock: Callable[[], Moment], show: Say
) -> None:
    """Go through every step; a step that only a person can judge asks at the keyboard."""
    while (step := rehearsal.step) is not None:
        done_count = len(rehearsal.results)
        show(f"{done_count + 1}. {say(_ACTS[step.act])}")
        command = rehearsal.begin(clock())
        if command is not None:
            await bench.tell(command)
        if step.wanted is None:
            rehearsal.told(was_seen=await asyncio.to_thread(_asked))
        else:
            await _watched(rehearsal, bench, clock)
        result = rehearsal.results[done_count]
        wanted = f" ({step.wanted.name})" if step.wanted is not None else ""
        show(f"   {say(_OUTCOMES[result.outcome])}{wanted} {result.value}".rstrip())
        if step.act is Act.WAIT and result.outcome is not Outcome.SEEN:
            return


async def _watched(rehearsal: Rehearsal, bench: Bench, clock: Callable[[], Moment]) -> None:
    while True:
        try:
            async with asyncio.timeout(TICK_S):
                row = await bench.row()
        except TimeoutError:
            if rehearsal.time_passed(clock()):
                return
            continue
        if "seen" in row and rehearsal.observed(_observation(row, clock())):
            return
        if rehearsal.time_passed(clock()):
            return


def _observation(row: dict[str, Any], now: Moment) -> Observation:
    return Observation(row["device"], Seen[row["seen"]], now, row["value"], row["part"])


def _asked() -> bool:
    """Ask a person; without a keyboard nobody saw anything."""
    sys.stderr.write(say("   y: yes, anything else: no ") + " ")
    sys.stderr.flush()
    answer = sys.stdin.readline() if sys.stdin is not None else ""
    return answer.strip().lower() in {"y", "yes", "是", "j"}
