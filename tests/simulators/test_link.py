"""The link: whole it carries everything, cut it resets and refuses, healed it carries again."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

import pytest

from simulators.link import Link


@contextlib.asynccontextmanager
async def linked() -> AsyncIterator[Link]:
    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(4096):
                writer.write(data)
        writer.close()

    server = await asyncio.start_server(echo, "127.0.0.1", 0)
    async with server, Link("127.0.0.1", server.sockets[0].getsockname()[1]) as link:
        yield link


async def said(link: Link, data: bytes) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", link.port)
    writer.write(data)
    answer = await reader.readexactly(len(data))
    writer.close()
    return answer


def test_a_whole_link_carries_both_ways() -> None:
    async def play() -> None:
        async with linked() as link:
            data = bytes(range(256)) * 2_000
            assert await said(link, data) == data

    asyncio.run(play())


def test_a_cut_resets_what_is_open_and_refuses_what_is_new() -> None:
    async def play() -> None:
        async with linked() as link:
            reader, writer = await asyncio.open_connection("127.0.0.1", link.port)
            writer.write(b"hello")
            assert await reader.readexactly(5) == b"hello"
            link.cut()
            with pytest.raises(ConnectionResetError):
                await reader.read()
            writer.close()
            with pytest.raises(ConnectionRefusedError):
                await asyncio.open_connection("127.0.0.1", link.port)
            assert link.resets > 0

    asyncio.run(play())


def test_a_healed_link_has_the_same_port() -> None:
    async def play() -> None:
        async with linked() as link:
            port = link.port
            for _ in range(3):
                link.cut()
                link.cut()
                await link.heal()
                await link.heal()
                assert link.port == port
                assert await said(link, b"again") == b"again"

    asyncio.run(play())


def test_a_cut_in_the_moment_in_which_it_begins_to_listen_is_a_cut() -> None:
    async def play(turns: int) -> None:
        async with linked() as link:
            link.cut()
            healing = asyncio.create_task(link.heal())
            for _ in range(turns):
                await asyncio.sleep(0)
            link.cut()
            await asyncio.wait([healing])
            with pytest.raises(ConnectionRefusedError):
                await asyncio.open_connection("127.0.0.1", link.port)

    for turns in range(1, 5):
        asyncio.run(play(turns))


def test_while_the_broker_is_down_the_link_refuses_as_it_would() -> None:
    async def play() -> None:
        held: list[asyncio.StreamWriter] = []

        async def hold(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            held.append(writer)
            await asyncio.sleep(60)

        server = await asyncio.start_server(hold, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        async with Link("127.0.0.1", port) as link:
            reader, writer = await asyncio.open_connection("127.0.0.1", link.port)
            while not held:  # noqa: ASYNC110 - the far side tells us in its own time
                await asyncio.sleep(0.01)
            server.close()
            held[0].transport.abort()
            with contextlib.suppress(ConnectionResetError):
                assert await reader.read() == b""
            writer.close()
            with pytest.raises(ConnectionRefusedError):
                await asyncio.open_connection("127.0.0.1", link.port)
            link.cut()
            await link.heal()
            async with await asyncio.start_server(hold, "127.0.0.1", port):
                for _ in range(100):
                    with contextlib.suppress(OSError):
                        _, again = await asyncio.open_connection("127.0.0.1", link.port)
                        again.close()
                        return
                    await asyncio.sleep(0.02)
        raise AssertionError("the link did not come back")

    asyncio.run(play())
