"""The shell around the exchange, over a broker that really loses things."""

import asyncio
import socket
import time
from pathlib import Path
from typing import Any

import aiomqtt
import pytest

from agreed.messages import TimeAsked, TimeTold, decode_message, encode_message, topic
from agreed.timex import Discipline
from cloud.link import BrokerAddress, Clock, Link
from cloud.outbox import Outbox
from tests.cancelling import cancel_with_the_word
from tests.cloud.processes import SmallBox, chained, mosquitto
from tests.cloud.world import BOX, STREAM, T0, World, alive

CLOCK = Clock(time.time_ns, time.monotonic_ns)


def test_two_clocks() -> None:
    clock = Clock(lambda: 5_999_999, lambda: 7)
    assert (clock.wall_ms(), clock.mono_ns()) == (5, 7)


@pytest.mark.broker
def test_small_messages_leave_at_once(small_world: World, tmp_path: Path) -> None:
    async def scenario(port: int) -> int:
        address = BrokerAddress("127.0.0.1", port, None, None)
        link = Link(small_world.engine, "acme", address, CLOCK, Outbox(lambda: 0.0))
        async with asyncio.timeout(90), link._connection() as client:
            line = client._client.socket()
            assert isinstance(line, socket.socket)
            return line.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)

    with mosquitto(tmp_path) as port:
        assert asyncio.run(scenario(port)) != 0


@pytest.mark.broker
def test_it_ends_when_told_even_if_the_goodbye_to_the_broker_fails(
    small_world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    leave = aiomqtt.Client.__aexit__

    async def leave_badly(client: aiomqtt.Client, *why: Any) -> None:
        await leave(client, *why)
        raise aiomqtt.MqttError("goodbye timed out")

    async def scenario(port: int) -> None:
        address = BrokerAddress("127.0.0.1", port, None, None)
        link = Link(small_world.engine, "acme", address, CLOCK, Outbox(lambda: 0.0))
        async with asyncio.timeout(90):
            running = asyncio.create_task(link.run())
            await link.is_connected.wait()
            running.cancel()
            await asyncio.wait([running], timeout=30)
            assert running.cancelled()

    monkeypatch.setattr(aiomqtt.Client, "__aexit__", leave_badly)
    with mosquitto(tmp_path) as port:
        asyncio.run(scenario(port))


@pytest.mark.broker
def test_a_cancellation_that_comes_with_the_brokers_word_is_not_forgotten(
    small_world: World, tmp_path: Path
) -> None:
    async def scenario(port: int) -> None:
        address = BrokerAddress("127.0.0.1", port, None, None)
        link = Link(small_world.engine, "acme", address, CLOCK, Outbox(lambda: 0.0))
        running = asyncio.create_task(link.run())
        async with asyncio.timeout(90):
            await link.is_connected.wait()
            asyncio.get_running_loop().set_task_factory(cancel_with_the_word)
            told = TimeTold(mono_ns=0, time_ns=0, error_ns=0, is_synced=False)
            publishing = asyncio.create_task(link._publish((BOX, told)))
            await asyncio.wait([publishing])
            assert publishing.cancelled()
            asyncio.get_running_loop().set_task_factory(None)
            running.cancel()
            await asyncio.wait([running])

    with mosquitto(tmp_path) as port:
        asyncio.run(scenario(port))


@pytest.mark.broker
def test_noise_on_the_line_disturbs_nobody(small_world: World, tmp_path: Path) -> None:
    small_world.order("o-1")
    blocks = chained(small_world.chain, [[alive(T0 + i)] for i in range(20)])

    async def scenario(port: int) -> SmallBox:
        outbox = Outbox(lambda: 0.0)
        address = BrokerAddress("127.0.0.1", port, None, None)
        link = Link(small_world.engine, "acme", address, CLOCK, outbox)
        box = SmallBox(BOX, blocks, stream=STREAM.hex())
        async with asyncio.timeout(90):
            running = [asyncio.create_task(link.run()), asyncio.create_task(box.run(port))]
            await link.is_connected.wait()
            async with aiomqtt.Client("127.0.0.1", port) as noise:
                for name in ("up", "presence"):
                    for who in (BOX, ("acme", "south", "x"), ("other", "north", "gate-box")):
                        for payload in (b"", b"D1", b"\xff" * 900, b"online"):
                            await noise.publish(topic(*who, name), payload, qos=1)
                for name in ("duifu/1////up", "duifu/1/./././up", "duifu/1/acme/N S/x/up"):
                    await noise.publish(name, b"D1", qos=1)
            await box.until_committed(20)
            await box.until(lambda: len(box.directives) == 1)
            for task in running:
                task.cancel()
            await asyncio.gather(*running, return_exceptions=True)
        return box

    with mosquitto(tmp_path) as port:
        asyncio.run(scenario(port))
    assert small_world.check().records == 20


@pytest.mark.broker
def test_who_asks_for_the_time_is_told_with_its_error(small_world: World, tmp_path: Path) -> None:
    steered = [Discipline(is_synced=True, error_us_max=us) for us in (2_000, 3_000)]
    clock = Clock(lambda: 1_800_000_000_000_000_007, time.monotonic_ns, steered.pop)

    async def scenario(port: int) -> TimeTold:
        address = BrokerAddress("127.0.0.1", port, None, None)
        link = Link(small_world.engine, "acme", address, clock, Outbox(lambda: 0.0))
        async with asyncio.timeout(90), aiomqtt.Client("127.0.0.1", port) as box:
            await box.subscribe(topic(*BOX, "down"), qos=1)
            running = asyncio.create_task(link.run())
            await link.is_connected.wait()
            asked = encode_message(TimeAsked(mono_ns=42))
            await box.publish(topic(*BOX, "up"), asked, qos=1)
            message = await anext(box.messages)
            running.cancel()
            await asyncio.wait([running])
        told = decode_message(bytes(message.payload))
        assert isinstance(told, TimeTold)
        return told

    with mosquitto(tmp_path) as port:
        told = asyncio.run(scenario(port))
    assert told == TimeTold(
        mono_ns=42, time_ns=1_800_000_000_000_000_007, error_ns=3_000_000, is_synced=True
    )


def test_a_clock_that_nobody_vouches_for_is_said_to_be_unsteered() -> None:
    assert CLOCK.discipline() == Discipline(is_synced=False, error_us_max=0)
