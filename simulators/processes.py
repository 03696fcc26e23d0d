"""Real processes of the demonstration: each its own group, and always ended."""

import asyncio
import contextlib
import os
import signal
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Final

_GRACE_S: Final = 10.0
_TAIL_LINES: Final = 12


class RunningProcess:
    """One program of ours, started, killed and started again.

    Attributes:
        name: for a reader.
        log: where everything goes that it prints.
    """

    def __init__(self, name: str, arguments: list[str], log: Path) -> None:
        self.name = name
        self.log = log
        self._arguments = arguments
        self._process: asyncio.subprocess.Process | None = None
        self._file: IO[bytes] | None = None

    @property
    def pid(self) -> int:
        """Its process id; 0 when it was never started."""
        return self._process.pid if self._process else 0

    @property
    def is_running(self) -> bool:
        """Whether it lives."""
        return self._process is not None and self._process.returncode is None

    @property
    def status(self) -> int | None:
        """Its exit status; None while it lives or was never started."""
        return self._process.returncode if self._process else None

    async def start(self, variables: Mapping[str, str]) -> None:
        """Start it, or start it again, with these environment variables."""
        self._file = self._file or self.log.open("ab")
        self._process = await asyncio.create_subprocess_exec(
            *self._arguments,
            stdin=subprocess.DEVNULL,
            stdout=self._file,
            stderr=self._file,
            env=dict(variables),
            start_new_session=True,
        )

    async def kill(self) -> None:
        """End it alone, as the kernel would: no farewell, and nothing that it started."""
        if self._process is not None and self.is_running:
            self._process.kill()
            await self._process.wait()

    async def stop(self) -> None:
        """Ask it to end, then end it and whatever it started."""
        if self._process is None:
            return
        if self.is_running:
            self._process.terminate()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_GRACE_S):
                    await self._process.wait()
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)
        await self._process.wait()
        if self._file is not None:
            self._file.close()
            self._file = None

    def last_words(self) -> str:
        """Give the end of its log."""
        try:
            lines = self.log.read_text("utf-8", "replace").splitlines()
        except OSError:
            return ""
        return "\n".join(lines[-_TAIL_LINES:])


def kill_by_pid(pid: int) -> bool:
    """Kill -9 one process by id; False when it is no longer there."""
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return False
    return True
