import asyncio
from collections.abc import Callable
from functools import partial

import pytest

from agreed.machine import NS_PER_S
from simulators.world.loop import VirtualErrands, VirtualLoop
from simulators.world.scheduler import Scheduler


class Process:
    def __init__(self, survived: Callable[[], bool] = lambda: True) -> None:
        self.scheduler = Scheduler(1)
        self.loop = VirtualLoop(self.scheduler, lambda: 0.5, survived)  # type: ignore[abstract]
        self.done: list[object] = []

    def run(self, seconds: float) -> None:
        self.scheduler.run(self.scheduler.now_ns + int(seconds * NS_PER_S))


async def _sleep(process: Process, seconds: float) -> None:
    await asyncio.sleep(seconds)
    process.done.append(process.loop.time())


async def _ask(process: Process, work: Callable[[], object]) -> None:
    try:
        process.done.append(await asyncio.get_running_loop().run_in_executor(None, work))
    except ValueError as error:
        process.done.append(str(error))


async def _give_up(process: Process) -> None:
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(2.0):
            await asyncio.Event().wait()
    process.done.append(process.loop.time())


def test_coroutines_wait_in_virtual_time() -> None:
    process = Process()
    process.loop.begin(_sleep(process, 3_600.0))
    process.loop.begin(_give_up(process))
    process.run(3_599)
    assert process.done == [pytest.approx(2.0)]
    process.run(2)
    assert process.done == [pytest.approx(2.0), pytest.approx(3_600.0)]


def test_a_threads_work_is_done_after_a_while_and_told_after_another() -> None:
    process = Process()
    worked: list[float] = []

    def work() -> str:
        worked.append(process.loop.time())
        return "good"

    process.loop.begin(_ask(process, work))
    process.run(0.7)
    assert (worked, process.done) == ([0.5], [])
    process.run(0.7)
    assert process.done == ["good"]


def test_what_a_thread_raises_is_raised_where_it_is_awaited() -> None:
    def fail() -> None:
        raise ValueError("bad")

    process = Process()
    process.loop.begin(_ask(process, fail))
    process.run(2)
    assert process.done == ["bad"]


def test_a_killed_process_takes_no_further_step() -> None:
    process = Process()
    worked: list[int] = []
    process.loop.begin(_sleep(process, 1.0))
    process.loop.begin(_ask(process, partial(worked.append, 1)))
    process.run(0.2)
    process.loop.kill()
    process.run(5)
    assert (worked, process.done, process.loop.faults) == ([], [], [])


def test_a_process_that_dies_of_a_threads_work_hears_nothing_of_it() -> None:
    process = Process(survived=lambda: False)
    process.loop.begin(_ask(process, lambda: "good"))
    process.run(5)
    assert process.done == []


def test_what_nobody_awaits_is_noted() -> None:
    process = Process()
    process.loop.call_exception_handler({"message": "lost", "exception": ValueError("bad")})
    assert process.loop.faults == ["lost: ValueError('bad')"]
    assert not process.loop.get_debug()


def test_what_is_called_off_does_not_happen() -> None:
    process = Process()
    process.loop.call_soon(process.done.append, 1).cancel()
    process.loop.call_later(1.0, process.done.append, 2).cancel()
    process.run(2)
    assert process.done == []


async def _give(process: Process, errands: VirtualErrands) -> None:
    first, second = errands.give(lambda: 1), errands.give(lambda: 2)
    process.done.append((await first, await second, process.loop.time()))
    errands.close()


def test_errands_are_done_in_virtual_time() -> None:
    process = Process()
    process.loop.begin(_give(process, VirtualErrands(process.loop)))
    process.run(3)
    assert process.done == [(1, 2, pytest.approx(1.0))]
