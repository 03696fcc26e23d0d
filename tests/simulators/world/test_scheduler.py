import pytest

from agreed.machine import NS_PER_S
from simulators.world.scheduler import NeverAtRestError, Scheduler


def test_acts_run_in_the_order_of_their_time_and_ties_as_asked() -> None:
    scheduler = Scheduler(1)
    done: list[str] = []
    for name, delay_s in (("late", 2.0), ("first", 1.0), ("second", 1.0), ("never", 9.0)):
        scheduler.after_s(delay_s, lambda name=name: done.append(name))  # type: ignore[misc]
    scheduler.run(5 * NS_PER_S)
    assert done == ["first", "second", "late"]
    assert scheduler.now_ns == 5 * NS_PER_S


def test_the_trace_depends_on_seed_time_and_words() -> None:
    def traced(seed: int, word: str, at_s: int) -> str:
        scheduler = Scheduler(seed)
        scheduler.after_s(at_s, lambda: scheduler.note(word))
        scheduler.run(10 * NS_PER_S)
        return scheduler.trace()

    assert traced(1, "a", 1) == traced(1, "a", 1)
    assert len({traced(1, "a", 1), traced(2, "a", 1), traced(1, "b", 1), traced(1, "a", 2)}) == 4


def test_a_world_that_never_rests_is_an_error() -> None:
    scheduler = Scheduler(1)

    def again() -> None:
        scheduler.after(0, again)

    again()
    with pytest.raises(NeverAtRestError):
        scheduler.run(NS_PER_S)
