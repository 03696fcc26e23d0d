"""Walks ports, bauds and addresses with every harmless question: a short loop over open ports."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from firmware_interfaces.discovery.questions import Question
from firmware_interfaces.errors import PortBusyError, PortError
from firmware_interfaces.ports import Port, open_port
from firmware_interfaces.wiring import Wiring

WAIT_S: Final = 0.12  # the slowest family answers within 0.1 s
ATTEMPTS_COUNT: Final = 2  # one answer may be spoiled
HEARD_BYTES_MAX: Final = 4_096
CLOSING_S: Final = 0.05
CLOSING_COUNT_MAX: Final = 20


@dataclass(frozen=True, slots=True)
class Finding:
    """Somebody answered, or a port could not be used.

    Attributes:
        port: as in box.toml.
        question: what was answered; None when the port failed.
        fault: why the port failed; None when it did not.
        described: who the device says it is and what it has; "" where it does not say.
    """

    port: str
    question: Question | None
    fault: PortError | None = None
    described: str = ""

    def table(self, name: str) -> str:
        """Propose the settings of whoever answered."""
        assert self.question is not None, "somebody answered"
        return self.question.table(self.port, name, self.described)


async def scan(
    ports: Sequence[str], questions: Sequence[Question], asked: Callable[[], None] = lambda: None
) -> AsyncIterator[Finding]:
    """Ask everything on every port, one port after another; `asked` is called after each question.

    A port that fails is reported once and left; the box itself must not be using it.
    """
    for port in ports:
        async for finding in _scan_port(port, questions, asked):
            yield finding


async def _scan_port(
    port: str, questions: Sequence[Question], asked: Callable[[], None]
) -> AsyncIterator[Finding]:
    for baud in dict.fromkeys(question.baud for question in questions):
        woken = asyncio.Event()
        try:
            wire = await _open_patiently(Wiring(port=port, baud=baud), woken)
        except PortError as error:
            yield Finding(port, None, error)
            return
        try:
            for question in (one for one in questions if one.baud == baud):
                if heard := await _answered_at_last(wire, woken, question):
                    if question.more:
                        more = replace(question, request=question.more)
                        heard += await _answered_at_last(wire, woken, more)
                    yield Finding(port, question, described=question.describe(heard))
                asked()
        except PortError as error:
            yield Finding(port, None, error)
            return
        finally:
            wire.close()


async def _open_patiently(wiring: Wiring, woken: asyncio.Event) -> Port:
    """Wait for our own closing of the port at another baud, which takes its time."""
    for _ in range(CLOSING_COUNT_MAX):
        try:
            return await open_port(wiring, woken.set)
        except PortBusyError:
            await asyncio.sleep(CLOSING_S)
    return await open_port(wiring, woken.set)


async def _answered_at_last(wire: Port, woken: asyncio.Event, question: Question) -> bytes:
    for _ in range(ATTEMPTS_COUNT):
        if heard := await _answered(wire, woken, question):
            return heard
    return b""


async def _answered(wire: Port, woken: asyncio.Event, question: Question) -> bytes:
    """Ask, and give what was heard once it answers; b"" when it does not."""
    wire.take()
    await wire.write(question.request)
    heard = b""
    loop = asyncio.get_running_loop()
    until_s = loop.time() + WAIT_S
    while (left_s := until_s - loop.time()) > 0 and len(heard) < HEARD_BYTES_MAX:
        woken.clear()
        heard += wire.take()
        if question.is_answer(heard):
            return heard
        try:
            async with asyncio.timeout(left_s):
                await woken.wait()
        except TimeoutError:
            break
    return b""
