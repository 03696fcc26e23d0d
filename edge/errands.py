"""One thread that does what blocks, one errand after the other, for the loop that gives them."""

import asyncio
import contextlib
from collections.abc import Callable
from queue import SimpleQueue
from threading import Thread
from typing import Any, Final, TypeVar

T = TypeVar("T")

_Answer = asyncio.Future[Any]
_Errand = tuple[_Answer, Callable[[], Any]]

_END: Final = None


class Errands:
    """A thread that begins with its first errand; each costs two wakings and one future.

    An executor does the same with two futures, a lock and a condition more for each errand, which
    is a tenth of what a commit takes on a fast card.
    """

    def __init__(self, name: str) -> None:
        """Do nothing yet.

        Args:
            name: of the thread, for whoever looks at the process.
        """
        self._name = name
        self._given: SimpleQueue[_Errand | None] = SimpleQueue()
        self._thread: Thread | None = None

    def give(self, act: Callable[[], T]) -> "asyncio.Future[T]":
        """Have something done behind what was given before; whoever waits may stop waiting.

        Raises (where the answer is awaited): whatever `act` does.
        """
        if self._thread is None:
            self._thread = Thread(target=self._work, name=self._name, daemon=True)
            self._thread.start()
        answer: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._given.put((answer, act))
        return answer

    def close(self) -> None:
        """Wait until everything given is done."""
        if self._thread is not None:
            self._given.put(_END)
            self._thread.join()

    def _work(self) -> None:
        while (errand := self._given.get()) is not _END:
            answer, act = errand
            value, error = None, None
            try:
                value = act()
            except BaseException as raised:  # noqa: BLE001 - raised again where it is awaited
                error = raised
            with contextlib.suppress(RuntimeError):  # nobody waits: the loop is closed
                answer.get_loop().call_soon_threadsafe(_tell, answer, value, error)


def _tell(answer: _Answer, value: object, error: BaseException | None) -> None:
    if answer.done():
        return  # who waited has stopped
    if error is None:
        answer.set_result(value)
    else:
        answer.set_exception(error)
