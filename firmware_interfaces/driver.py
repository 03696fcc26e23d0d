"""The one loop that runs any machine over any port, and survives the port."""

import asyncio
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Never, Protocol

import structlog

from agreed.machine import NS_PER_S, Machine, Moment
from firmware_interfaces.budget import Budget
from firmware_interfaces.errors import PortError, PortFloodedError
from firmware_interfaces.observations import Command, Observation, Seen
from firmware_interfaces.ports import DATAGRAMS, RADIOS, Port, open_port
from firmware_interfaces.wiring import Wiring

COMMANDS_COUNT_MAX = 64  # commands of one line that wait to be handed to its machine
REOPEN_S_MIN = 0.25
REOPEN_S_MAX = 5.0
SLEEP_S_MIN = 0.001  # a machine that is always due still leaves the loop to its neighbours
SLEEP_S_MAX = 5.0
CALM_S = 2.0  # after a flood a line must be quiet for so long before its machine hears it again
CALM_BYTES_MAX = 1_024  # and quiet is less than this

Deliver = Callable[[Observation], None]
Clock = Callable[[], Moment]

log = structlog.get_logger()


class LineMachine(Machine[Observation], Protocol):
    """The seam of a family: a machine that can also be told things and lose its wire."""

    def line_opened(self, now: Moment) -> list[Observation]:
        """Begin, or begin again, on a freshly opened wire."""
        ...

    def line_lost(self, now: Moment) -> list[Observation]:
        """Give up on the wire: every device is lost, once, and every command refused."""
        ...

    def command(self, command: Command, now: Moment) -> list[Observation]:
        """Take one command; a device that is lost or unknown refuses it at once."""
        ...


class Line:
    """One wire, its machine and what its devices are to be told next.

    Attributes:
        wiring: the port and how it is set.
        machine: the family's machine.
        fault: why the port cannot be used now; None while it is open.
        budget: what it may still say before it is a flood.
    """

    def __init__(self, wiring: Wiring, machine: LineMachine) -> None:
        self.wiring = wiring
        self.machine = machine
        self.fault: PortError | None = None
        self.budget = Budget()
        self._commands: deque[Command] = deque()
        self._wake = asyncio.Event()

    def tell(self, command: Command) -> bool:
        """Queue one command, in the loop's own thread; False when the queue is full."""
        if len(self._commands) >= COMMANDS_COUNT_MAX:
            return False
        self._commands.append(command)
        self._wake.set()
        return True

    def wake(self) -> None:
        """Make the line's loop look again at once."""
        self._wake.set()

    def take_commands(self) -> list[Command]:
        """Hand over what is queued, once, oldest first."""
        commands = list(self._commands)
        self._commands.clear()
        return commands

    async def woken(self, delay_s: float) -> None:
        """Wait for bytes, a command or the delay, whichever is first."""
        timer = asyncio.get_running_loop().call_later(delay_s, self._wake.set)
        try:
            await self._wake.wait()
        finally:
            timer.cancel()
        self._wake.clear()


async def drive(line: Line, deliver: Deliver, clock: Clock) -> Never:
    """Run one line until cancelled; a lost port is reported once and re-opened with back-off.

    `deliver` is called in the loop, in order, and must return quickly. Nothing that a
    device or a port does makes this raise, so one task per line keeps lines apart. A line that
    says more than `firmware_interfaces.budget` allows is a lost port too, until it is quiet.
    """
    reopen_s = REOPEN_S_MIN
    while True:
        was_useful = await _attempt(line, deliver, clock)
        reopen_s = REOPEN_S_MIN if was_useful else min(reopen_s * 2, REOPEN_S_MAX)
        await _wait_closed(line, deliver, clock, reopen_s)


async def _attempt(line: Line, deliver: Deliver, clock: Clock) -> bool:
    """Open the port and stay with it; says whether it was worth opening."""
    loop = asyncio.get_running_loop()
    began_s = loop.time()
    port: Port | None = None
    heard = _Heard()
    try:
        port = await open_port(line.wiring, line.wake)
        await _calm(line, port, deliver, clock)
        # That a datagram may be sent proves nothing: only an answer shows that somebody is there.
        if not line.wiring.port.startswith(DATAGRAMS):
            _is_usable(line)
        await _carry(line, port, deliver, clock, heard)
    except PortError as error:
        if line.fault is None:
            log.warning("port lost", port=error.port, reason=str(error), retry=error.retry)
        line.fault = error
    finally:
        if port is not None:
            port.close()
    _deliver_all(_because(line.fault, line.machine.line_lost(clock())), deliver)
    if isinstance(line.fault, PortFloodedError):
        return False
    return heard.any or (port is not None and loop.time() - began_s > REOPEN_S_MAX)


def _is_usable(line: Line) -> None:
    if line.fault is not None:
        log.info("port back", port=line.wiring.port)
    line.fault = None


class _Heard:
    """Whether a port ever said anything, which is what resets the back-off."""

    def __init__(self) -> None:
        self.any = False


def _because(fault: PortError | None, lost: list[Observation]) -> list[Observation]:
    """Say of a flood that it is one: to a machine every lost port is the same."""
    if not isinstance(fault, PortFloodedError):
        return lost
    return [replace(o, value=fault.reason) if o.seen is Seen.LOST else o for o in lost]


async def _calm(line: Line, port: Port, deliver: Deliver, clock: Clock) -> None:
    """After a flood, wait for quiet before the machine hears the line again.

    Raises:
        PortFloodedError: it goes on.
    """
    if not isinstance(line.fault, PortFloodedError):
        return
    loop = asyncio.get_running_loop()
    until_s = loop.time() + CALM_S
    bytes_count = 0
    while (left_s := until_s - loop.time()) > 0:
        bytes_count += len(port.take())
        if bytes_count > CALM_BYTES_MAX:
            raise PortFloodedError(line.wiring.port)
        _pass_on(line, deliver, clock())
        await line.woken(left_s)


async def _carry(line: Line, port: Port, deliver: Deliver, clock: Clock, heard: _Heard) -> Never:
    _deliver_all(line.machine.line_opened(clock()), deliver)
    while True:
        data = port.take()
        now = clock()
        if data:
            heard.any = True
            _is_usable(line)
            _hear(line, data, deliver, now)
        _pass_on(line, deliver, now)
        outgoing = line.machine.bytes_to_send()
        if outgoing:
            await port.write(outgoing)
        await line.woken(_delay_s(line.machine, clock()))


def _hear(line: Line, data: bytes, deliver: Deliver, now: Moment) -> None:
    # The air is nobody's own: a crowd of strangers' beacons must not silence it.
    is_bounded = not line.wiring.port.startswith(RADIOS)
    if is_bounded and not line.budget.has_room(len(data), now):
        raise PortFloodedError(line.wiring.port)
    said = line.machine.bytes_received(data, now)
    _deliver_all(said, deliver)
    if is_bounded and not line.budget.may_say(len(said), now):
        raise PortFloodedError(line.wiring.port)


async def _wait_closed(line: Line, deliver: Deliver, clock: Clock, wait_s: float) -> None:
    """Keep answering commands (with refusals) while the port is away."""
    loop = asyncio.get_running_loop()
    until_s = loop.time() + wait_s
    while (left_s := until_s - loop.time()) > 0:
        await line.woken(left_s)
        _pass_on(line, deliver, clock())


def _pass_on(line: Line, deliver: Deliver, now: Moment) -> None:
    for command in line.take_commands():
        _deliver_all(line.machine.command(command, now), deliver)
    deadline_ns = line.machine.deadline_ns()
    if deadline_ns is not None and deadline_ns <= now.mono_ns:
        _deliver_all(line.machine.time_passed(now), deliver)


def _delay_s(machine: LineMachine, now: Moment) -> float:
    deadline_ns = machine.deadline_ns()
    if deadline_ns is None:
        return SLEEP_S_MAX
    return min(max((deadline_ns - now.mono_ns) / NS_PER_S, SLEEP_S_MIN), SLEEP_S_MAX)


def _deliver_all(observations: Iterable[Observation], deliver: Deliver) -> None:
    for observation in observations:
        deliver(observation)
