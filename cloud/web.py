"""Serves the REST interface and the pages, and stops in order."""

import asyncio
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import uvicorn
from fastapi import FastAPI

GRACE_S: Final = 2


class Web(uvicorn.Server):
    """A web server that leaves signals to us.

    Attributes:
        is_ready: set once requests are answered.
    """

    def __init__(self, app: FastAPI) -> None:
        """Serve this application."""
        settings = uvicorn.Config(
            app, log_level="warning", access_log=False, timeout_graceful_shutdown=GRACE_S
        )
        super().__init__(settings)
        self.is_ready = asyncio.Event()
        self._app = app

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Capture none."""
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to listen."""
        await super().startup(sockets)
        self.is_ready.set()

    async def stop(self, serving: asyncio.Task[None]) -> None:
        """Close open streams, answer what was asked, and wait until `serving` has ended."""
        live = getattr(self._app.state, "live", None)
        if live is not None:
            await live.close()
        self.should_exit = True
        await serving
