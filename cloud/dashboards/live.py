"""The live stream: what changed on a page, about once a second, to a bounded number of browsers."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Final

Render = Callable[[str], Mapping[str, str]]
"""Gives every fragment of the page in a language; runs in a thread."""

CLIENTS_MAX: Final = 64
TICK_S: Final = 1.0
BEAT_TICKS: Final = 5
"""A stream without news says so this often; a page warns after 15 s of silence."""

RETRY_MS: Final = 3_000


@dataclass(slots=True)
class _Feed:
    """One language's fragments, shared by everybody who reads it."""

    clients: int = 0
    tick: int = 0
    fragments: Mapping[str, str] = field(default_factory=dict)
    task: asyncio.Task[None] | None = None


class LiveStream:
    """Renders once a second for all browsers together, and only while somebody looks.

    Args:
        render: see `Render`.
        clients_max: how many browsers may listen at a time.
        tick_s: how often to look for news.
    """

    def __init__(
        self, render: Render, clients_max: int = CLIENTS_MAX, tick_s: float = TICK_S
    ) -> None:
        self._render = render
        self._clients_max = clients_max
        self._tick_s = tick_s
        self._feeds: dict[str, _Feed] = {}
        self._news = asyncio.Condition()
        self._is_closed = False

    @property
    def clients(self) -> int:
        """Count the browsers that listen."""
        return sum(feed.clients for feed in self._feeds.values())

    @property
    def is_full(self) -> bool:
        """Whether another browser must be turned away for now."""
        return self._is_closed or self.clients >= self._clients_max

    async def close(self) -> None:
        """End every stream, so that the server can stop; call it before the server waits."""
        self._is_closed = True
        async with self._news:
            self._news.notify_all()

    async def events(self, language: str) -> AsyncIterator[str]:
        """Give one browser its events: what differs from what it has, else a beat."""
        feed = self._feeds.setdefault(language, _Feed())
        feed.clients += 1
        if feed.task is None:
            feed.task = asyncio.create_task(self._keep_fresh(language, feed))
        try:
            yield f"retry: {RETRY_MS}\n\n"
            async for event in self._differences(feed):
                yield event
        finally:
            feed.clients -= 1

    async def _differences(self, feed: _Feed) -> AsyncIterator[str]:
        known: dict[str, str] = {}
        seen_tick = told_tick = feed.tick if feed.fragments else -1
        while True:
            changed = {k: v for k, v in feed.fragments.items() if known.get(k) != v}
            stamp = changed.pop("stamp", None)
            if changed or feed.tick - told_tick >= BEAT_TICKS:
                sent = changed | ({"stamp": stamp} if stamp is not None else {})
                known.update(sent)
                told_tick = feed.tick
                yield f"event: fragments\ndata: {json.dumps(sent, ensure_ascii=False)}\n\n"
            async with self._news:
                await self._news.wait_for(partial(self._has_news, feed, seen_tick))
            if self._is_closed or feed.task is None:
                return
            seen_tick = feed.tick

    def _has_news(self, feed: _Feed, seen_tick: int) -> bool:
        return self._is_closed or feed.task is None or feed.tick > seen_tick

    async def _keep_fresh(self, language: str, feed: _Feed) -> None:
        try:
            while feed.clients and not self._is_closed:
                feed.fragments = await asyncio.to_thread(self._render, language)
                feed.tick += 1
                async with self._news:
                    self._news.notify_all()
                await self._pause()
        finally:
            # A failure ends the streams; browsers come back and begin a new one.
            feed.task = None
            feed.fragments = {}
            async with self._news:
                self._news.notify_all()

    async def _pause(self) -> None:
        try:
            async with asyncio.timeout(self._tick_s), self._news:
                await self._news.wait_for(lambda: self._is_closed)
        except TimeoutError:
            return
