"""Spreads the parts of a campaign over processes; a part is decided by its arguments alone."""

import math
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import closing, contextmanager
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TypeVar

PartT = TypeVar("PartT")
ResultT = TypeVar("ResultT")


def shared(
    jobs: int,
    act: Callable[[PartT], ResultT],
    parts: Sequence[PartT],
    seconds_max: float = math.inf,
) -> Iterator[ResultT]:
    """Do every part, in so many processes, and give what came of each, in order.

    What was done is given also when there was no time for the rest: a part is never cut short.

    Args:
        jobs: processes; with 1 everything is done in this one.
        act: a function of a module, so that another process finds it.
        parts: its arguments.
        seconds_max: no part is given after one that came later than that.
    """
    ends_s = time.monotonic() + seconds_max
    with closing(_each(jobs, act, parts)) as done:
        for one in done:
            yield one
            if time.monotonic() > ends_s:
                return


def _each(
    jobs: int, act: Callable[[PartT], ResultT], parts: Sequence[PartT]
) -> Generator[ResultT, None, None]:
    if jobs == 1:
        yield from map(act, parts)
        return
    with ProcessPoolExecutor(jobs, mp_context=get_context("spawn")) as pool:
        try:
            yield from pool.map(act, parts)
        except GeneratorExit:
            pool.shutdown(cancel_futures=True)
            raise


@contextmanager
def folder_in_memory(name: str) -> Iterator[Path]:
    """Give a folder that costs no disk, where the machine has such, and clear it away."""
    memory = Path("/dev/shm")  # noqa: S108 - a folder of our own is made in it
    where = memory if memory.is_dir() else None
    with TemporaryDirectory(prefix=f"duifu-{name}-", dir=where) as folder:
        yield Path(folder)
