import asyncio

import pytest

from firmware_interfaces.observations import Seen
from simulators.devices.gate_reader import GateReader, TapOutcome
from tests.firmware_interfaces.osdp.pairs import Pair
from tests.firmware_interfaces.worlds import KEY


@pytest.fixture
def pair() -> Pair:
    one = Pair()
    assert one.until(one.is_online)
    return one


def test_cure_cached_reply_a_repeated_command_gets_the_same_reply(pair: Pair) -> None:
    reader, command = pair.readers[0], pair.sent[-1]
    replied = len(pair.replied)
    reader.hear(command)
    reader.hear(command)
    assert pair.replied[replied:] == [pair.replied[replied - 1]] * 2
    assert reader.repeated_count == 2
    pair.run(0.3)
    assert pair.is_online()


def test_a_card_counts_once_the_next_command_acknowledges_it(pair: Pair) -> None:
    reader = pair.readers[0]
    reader.show("26:0a1b2c80")
    replied = len(pair.replied)
    pair.deliver = lambda _: None
    assert pair.until(lambda: len(pair.replied) > replied)
    assert reader.emitted == []
    pair.deliver = pair.panel.bytes_received
    assert pair.until(lambda: bool(reader.emitted))
    assert [(e.seen, e.value) for e in reader.emitted] == [(Seen.CARD, "26:0a1b2c80")]
    assert reader.repeated_count >= 1


def test_a_card_whose_session_ends_is_not_emitted(pair: Pair) -> None:
    reader = pair.readers[0]
    reader.show("26:0a1b2c80")
    replied = len(pair.replied)
    pair.deliver = lambda _: None
    assert pair.until(lambda: len(pair.replied) > replied)
    pair.panel.disable(0)
    pair.run(0.2)
    pair.deliver = pair.panel.bytes_received
    pair.panel.enable(0)
    assert pair.until(pair.is_online)
    pair.run(0.3)
    assert reader.emitted == []


def test_a_reader_without_a_session_sees_no_card() -> None:
    reader = GateReader("gate", key=KEY)
    assert not reader.is_online
    assert asyncio.run(reader.tap("26:0a1b2c80")) is TapOutcome.NOTHING
    reader.type("1")
    assert not reader._submitted


def test_commands_for_others_are_not_answered(pair: Pair) -> None:
    other = GateReader("other", key=KEY, address=9)
    other.send = pair.readers[0].send
    replied = len(pair.replied)
    for command in pair.sent:
        other.hear(command)
    assert len(pair.replied) == replied
