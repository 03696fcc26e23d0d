import asyncio
import json
from collections.abc import AsyncIterator, Callable, Mapping

import pytest

from cloud.dashboards.live import BEAT_TICKS, LiveStream

Fragments = dict[str, str]


def stream_of(render: Callable[[str], Mapping[str, str]], clients_max: int = 4) -> LiveStream:
    return LiveStream(render, clients_max=clients_max, tick_s=0.005)


def once(render: Callable[[str], Mapping[str, str]], clients_max: int = 4) -> LiveStream:
    """Render once and then not again for a long time."""
    return LiveStream(render, clients_max=clients_max, tick_s=600)


async def next_event(events: AsyncIterator[str]) -> Fragments:
    async with asyncio.timeout(60):
        text = await anext(events)
    data = text.partition("data: ")[2]
    found: Fragments = json.loads(data) if data else {}
    return found


async def begun(stream: LiveStream, language: str = "zh") -> AsyncIterator[str]:
    events = stream.events(language)
    assert await anext(events) == "retry: 3000\n\n"
    return events


def noting(asked: list[str]) -> Callable[[str], Fragments]:
    def render(spoken: str) -> Fragments:
        asked.append(spoken)
        return {"figures": "a"}

    return render


def is_full(stream: LiveStream) -> bool:
    return stream.is_full


def test_only_what_changed_is_sent() -> None:
    state = {"stamp": "1", "figures": "a", "money": "b"}

    async def play() -> None:
        stream = stream_of(lambda _: dict(state))
        events = await begun(stream)
        assert await next_event(events) == state
        state.update(figures="c", stamp="2")  # at once: a thread reads it
        assert await next_event(events) == {"figures": "c", "stamp": "2"}

    asyncio.run(play())


def test_a_moving_clock_alone_is_sent_only_as_a_beat() -> None:
    ticks = iter(range(10_000))

    async def play() -> None:
        stream = stream_of(lambda _: {"stamp": str(next(ticks)), "figures": "a"})
        events = await begun(stream)
        first = await next_event(events)
        second = await next_event(events)
        assert set(second) == {"stamp"}
        assert int(second["stamp"]) - int(first["stamp"]) >= BEAT_TICKS

    asyncio.run(play())


def test_a_stream_without_news_still_beats() -> None:
    async def play() -> None:
        events = await begun(stream_of(lambda _: {"figures": "a"}))
        assert await next_event(events) == {"figures": "a"}
        assert await next_event(events) == {}

    asyncio.run(play())


def test_all_clients_of_a_language_share_one_rendering() -> None:
    asked: list[str] = []

    async def play() -> None:
        stream = once(noting(asked))
        clients = [await begun(stream) for _ in range(3)]
        for events in clients:
            assert await next_event(events) == {"figures": "a"}
        other = await begun(stream, "en")
        assert await next_event(other) == {"figures": "a"}
        assert is_full(stream)

    asyncio.run(play())
    assert asked == ["zh", "en"]


def test_a_client_that_leaves_makes_room_and_rendering_stops() -> None:
    asked: list[str] = []

    async def play() -> None:
        stream = stream_of(noting(asked), 1)
        events = await begun(stream)
        await next_event(events)
        assert is_full(stream)
        await events.aclose()  # type: ignore[attr-defined]
        assert not is_full(stream)
        async with asyncio.timeout(60):
            while (rendering := stream._feeds["zh"].task) is not None:
                await asyncio.wait([rendering])
        rendered = len(asked)
        await asyncio.sleep(0.05)
        assert len(asked) == rendered
        again = await begun(stream)
        assert await next_event(again) == {"figures": "a"}

    asyncio.run(play())


def test_closing_ends_every_stream_at_once() -> None:
    async def play() -> None:
        stream = once(lambda _: {"figures": "a"})
        events = await begun(stream)
        await next_event(events)
        await stream.close()
        with pytest.raises(StopAsyncIteration):
            async with asyncio.timeout(60):
                await anext(events)
        assert is_full(stream)

    asyncio.run(play())


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_failure_ends_the_stream_and_the_next_one_begins_anew() -> None:
    answers: list[Fragments | None] = [None, {"figures": "a"}]

    def render(_: str) -> Fragments:
        answer = answers.pop(0) if len(answers) > 1 else answers[0]
        if answer is None:
            raise OSError("the disk is gone")
        return answer

    async def play() -> None:
        stream = stream_of(render)
        with pytest.raises(StopAsyncIteration):
            await next_event(await begun(stream))
        assert await next_event(await begun(stream)) == {"figures": "a"}

    asyncio.run(play())
