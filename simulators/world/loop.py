"""An event loop in virtual time: every step of a coroutine is an act of the scheduler.

Production code that waits, and that hands work to a thread, runs in it as it is; what a thread
would do is done at once, after a while, and is told of after another. A process that is killed
takes no further step, wherever it was.
"""

import asyncio
import contextvars
from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any, Final, TypeVar, TypeVarTuple

from agreed.machine import NS_PER_S
from edge.errands import Errands
from simulators.world.scheduler import Scheduler

T = TypeVar("T")
Ts = TypeVarTuple("Ts")
_ROUNDING_NS: Final = 1
"""A timer that rang a rounding too early would be set again at the same instant, for ever."""


class VirtualLoop(asyncio.AbstractEventLoop):
    """The event loop of one process.

    Attributes:
        faults: what coroutines of it ended with and nobody awaited.
    """

    def __init__(
        self, scheduler: Scheduler, call_s: Callable[[], float], survived: Callable[[], bool]
    ) -> None:
        """Begin a process.

        Args:
            scheduler: of the world.
            call_s: draws how long a half of a thread's work takes.
            survived: asked after each piece of a thread's work; False if the process died of it.
        """
        self.faults: list[str] = []
        self._scheduler = scheduler
        self._call_s = call_s
        self._survived = survived
        self._is_killed = False

    def kill(self) -> None:
        """End the process: nothing of it goes on."""
        self._is_killed = True

    def act(self, act: Callable[[], T]) -> T:
        """Do something in the process, as a callback of it would."""
        asyncio._set_running_loop(self)  # noqa: SLF001 - how a loop says that it runs
        try:
            return act()
        finally:
            asyncio._set_running_loop(None)  # noqa: SLF001 - likewise

    def begin(
        self,
        coroutine: Coroutine[Any, Any, None],
        ended: "Callable[[asyncio.Task[None]], object]" = lambda task: task.exception(),
    ) -> None:
        """Begin a coroutine that nobody awaits; `ended` is called once it has."""
        self.create_task(coroutine).add_done_callback(ended)

    def time(self) -> float:
        """Give the virtual time, s."""
        return self._scheduler.now_ns / NS_PER_S

    def call_soon(
        self,
        callback: Callable[[*Ts], object],
        *args: *Ts,
        context: contextvars.Context | None = None,
    ) -> asyncio.Handle:
        """Call back at this instant, after what is to happen at it already."""
        handle = asyncio.Handle(callback, args, self, context)
        self._scheduler.after(0, self._step(handle, partial(callback, *args), context))
        return handle

    def call_later(
        self,
        delay: float,
        callback: Callable[[*Ts], object],
        *args: *Ts,
        context: contextvars.Context | None = None,
    ) -> asyncio.TimerHandle:
        """Call back after some virtual seconds."""
        return self.call_at(self.time() + delay, callback, *args, context=context)

    def call_at(
        self,
        when: float,
        callback: Callable[[*Ts], object],
        *args: *Ts,
        context: contextvars.Context | None = None,
    ) -> asyncio.TimerHandle:
        """Call back at a virtual time."""
        handle = asyncio.TimerHandle(when, callback, args, self, context)
        delay_ns = int(when * NS_PER_S) + _ROUNDING_NS - self._scheduler.now_ns
        self._scheduler.after(delay_ns, self._step(handle, partial(callback, *args), context))
        return handle

    def create_future(self) -> "asyncio.Future[Any]":
        """Make a future of this process."""
        return asyncio.Future(loop=self)

    def create_task(self, coro: Coroutine[Any, Any, T], **named: Any) -> "asyncio.Task[T]":  # type: ignore[override]
        """Begin a coroutine of this process."""
        return asyncio.Task(coro, loop=self, **named)

    def run_in_executor(  # type: ignore[override]
        self, executor: object, func: Callable[..., T], *args: Any
    ) -> "asyncio.Future[T]":
        """Do what a thread would: after a while, and told of after another."""
        del executor
        told: asyncio.Future[T] = self.create_future()

        def work() -> None:
            if self._is_killed:
                return
            try:
                tell = partial(told.set_result, func(*args))
            except Exception as error:  # noqa: BLE001 - what it is, the one who waits must know
                tell = partial(told.set_exception, error)
            if self._survived():
                self._scheduler.after_s(self._call_s(), partial(self._tell, told, tell))

        self._scheduler.after_s(self._call_s(), work)
        return told

    def get_debug(self) -> bool:
        """Say that nothing is to be traced."""
        return False

    def call_exception_handler(self, context: dict[str, Any]) -> None:
        """Note what nobody awaited; a killed process leaves unfinished tasks behind."""
        if not self._is_killed:
            self.faults.append(f"{context.get('message')}: {context.get('exception')!r}")

    def _timer_handle_cancelled(self, handle: asyncio.TimerHandle) -> None:
        """Know of a timer that will not ring."""

    def _tell(self, told: "asyncio.Future[Any]", tell: Callable[[], None]) -> None:
        if not self._is_killed and not told.done():
            tell()

    def _step(
        self,
        handle: asyncio.Handle,
        callback: Callable[[], object],
        context: contextvars.Context | None,
    ) -> Callable[[], None]:
        where = contextvars.copy_context() if context is None else context

        def step() -> None:
            if not self._is_killed and not handle.cancelled():
                self.act(partial(where.run, callback))

        return step


class VirtualErrands(Errands):
    """The thread of one process, in virtual time."""

    def __init__(self, loop: VirtualLoop) -> None:
        """Work for a loop."""
        super().__init__("virtual")
        self._loop = loop

    def give(self, act: Callable[[], T]) -> "asyncio.Future[T]":
        """Have something done after a while, and told of after another."""
        return self._loop.run_in_executor(None, act)
