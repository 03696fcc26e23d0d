"""A task factory that cancels at the worst moment: together with what was waited for."""

import asyncio
from collections.abc import Coroutine, Generator
from typing import Any


def cancel_with_the_word(
    loop: asyncio.AbstractEventLoop,
    coroutine: Coroutine[Any, Any, Any] | Generator[Any, None, Any],
) -> "asyncio.Task[Any]":
    """Make tasks, a factory for a loop; who awaits an event is cancelled in the moment it comes."""
    task = asyncio.Task(coroutine, loop=loop)
    waiting = asyncio.current_task(loop)
    if getattr(coroutine, "__qualname__", "") == "Event.wait" and waiting is not None:
        task.add_done_callback(lambda _: waiting.cancel())
    return task
