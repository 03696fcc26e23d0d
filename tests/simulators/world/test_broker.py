from dataclasses import replace
from random import Random

from agreed.machine import NS_PER_S
from simulators.world.broker import Broker
from simulators.world.faults import Faults, draw_faults
from simulators.world.scheduler import Scheduler

CALM = replace(draw_faults(Random(1)), loss=0, repeat=0, hold=0, spoil=0)


class Party:
    def __init__(self) -> None:
        self.links: list[bool] = []
        self.heard: list[bytes] = []

    def linked(self) -> None:
        self.links.append(True)

    def unlinked(self) -> None:
        self.links.append(False)


def told(faults: Faults, count: int, *, is_wiped: bool = False) -> tuple[Party, Broker]:
    scheduler = Scheduler(5)
    broker = Broker(scheduler, faults)
    one, other = Party(), Party()
    broker.connect("one", one)
    broker.connect("other", other)
    for number in range(count):
        assert broker.publish("one", "other", bytes([number]), other.heard.append)
    if is_wiped:
        broker.wipe()
        broker.connect("other", other)
    scheduler.run(100_000 * NS_PER_S)
    return other, broker


def test_a_calm_line_carries_everything_once() -> None:
    party, _broker = told(CALM, 50)
    assert sorted(party.heard) == [bytes([n]) for n in range(50)]


def test_a_bad_line_loses_repeats_reorders_and_spoils() -> None:
    assert len(told(replace(CALM, loss=0.5), 100)[0].heard) < 80
    assert len(told(replace(CALM, repeat=0.5), 100)[0].heard) > 120
    heard = told(replace(CALM, hold=0.5), 100)[0].heard
    assert heard != sorted(heard)
    assert sorted(told(replace(CALM, spoil=1.0), 8)[0].heard) != [bytes([n]) for n in range(8)]


def test_who_is_not_connected_hears_nothing_and_says_nothing() -> None:
    scheduler = Scheduler(5)
    broker = Broker(scheduler, CALM)
    one, other = Party(), Party()
    broker.connect("one", one)
    assert broker.publish("one", "other", b"x", other.heard.append)
    assert not broker.publish("other", "one", b"x", one.heard.append)
    scheduler.run(NS_PER_S)
    assert one.heard == other.heard == []


def test_a_wiped_broker_forgets_what_was_under_way_and_who_was_there() -> None:
    party, broker = told(CALM, 10, is_wiped=True)
    assert party.heard == []
    assert party.links == [True, False, True]
    assert not broker.is_connected("one")
