import asyncio
import threading
from functools import partial

import pytest

from edge.errands import Errands


class BoomError(Exception):
    """What an errand may raise."""


def where(number: int) -> tuple[int, str]:
    return number, threading.current_thread().name


def test_errands_are_done_in_turn_in_one_thread() -> None:
    async def scenario() -> list[tuple[int, str]]:
        errands = Errands("cards")
        answers = [errands.give(partial(where, number)) for number in range(100)]
        done = [await answer for answer in answers]
        errands.close()
        return done

    assert asyncio.run(scenario()) == [(number, "cards") for number in range(100)]


def test_what_an_errand_raises_is_raised_where_it_is_awaited() -> None:
    def fail() -> None:
        raise BoomError

    async def scenario() -> int:
        errands = Errands("cards")
        with pytest.raises(BoomError):
            await errands.give(fail)
        answer = await errands.give(lambda: 7)  # the thread goes on
        errands.close()
        return answer

    assert asyncio.run(scenario()) == 7


def test_who_stops_waiting_leaves_the_errand_to_be_done() -> None:
    async def scenario() -> list[str]:
        errands, may_go, done = Errands("cards"), threading.Event(), list[str]()
        slow = errands.give(may_go.wait)
        behind = errands.give(lambda: done.append("behind"))
        slow.cancel()
        may_go.set()
        await behind
        errands.close()
        return done

    assert asyncio.run(scenario()) == ["behind"]


def test_closing_waits_for_what_was_given_even_where_the_loop_is_gone() -> None:
    errands, may_go, done = Errands("cards"), threading.Event(), list[str]()

    async def scenario() -> None:
        _ = errands.give(may_go.wait)
        _ = errands.give(lambda: done.append("last"))

    asyncio.run(scenario())
    may_go.set()
    errands.close()
    assert done == ["last"]


def test_without_an_errand_there_is_no_thread() -> None:
    before = threading.active_count()
    errands = Errands("cards")
    assert threading.active_count() == before
    errands.close()
