"""Starts real processes in milliseconds: one process imports everything and forks each of them.

What a forked child runs is the program's own `main`, with its arguments and log; only the imports
were done before. `python -m simulators.kills --exec` starts every process from nothing instead.
"""

import asyncio
import contextlib
import gc
import json
import os
import resource
import signal
import socket
import sys
from collections.abc import Callable, Mapping
from importlib import import_module
from pathlib import Path
from typing import Any, Final, Self

PROGRAMS: Final = {
    "duifu": "duifu.__main__",
    "trusting box": "simulators.kills.trusting_box",
}
"""What may be started, each a module with a `main`."""

_IMPORTS: Final = (
    *PROGRAMS.values(),
    "cloud.__main__",
    "cloud.service",
    "edge.__main__",
    "edge.agent",
    "edge.opening",
)
_LINE_BYTES_MAX: Final = 64 * 1024
_TAIL_LINES: Final = 12


class Nursery:
    """The process that forks, as its owner sees it."""

    def __init__(self, log: Path) -> None:
        """Prepare; what the nursery itself has to say goes into the log."""
        self._log = log
        self._turn = asyncio.Lock()
        self._process: asyncio.subprocess.Process | None = None
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def __aenter__(self) -> Self:
        """Start it."""
        ours, theirs = socket.socketpair()
        with theirs, self._log.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "simulators.kills.nursery", str(theirs.fileno())),
                pass_fds=[theirs.fileno()],
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env={**os.environ, "OPENBLAS_NUM_THREADS": "1"},
            )
        self._streams = await asyncio.open_connection(sock=ours)
        return self

    async def __aexit__(self, *_: object) -> None:
        """End it; its children are their owners' to end."""
        assert self._streams is not None
        assert self._process is not None
        self._streams[1].close()
        await self._process.wait()

    async def fork(self, program: str, arguments: list[str], log: Path) -> int:
        """Start a program; gives its process id."""
        answer = await self._asked({"program": program, "arguments": arguments, "log": str(log)})
        return int(answer["pid"])

    async def spent_s(self) -> float:
        """Say how much processor time all children that have ended took."""
        return float((await self._asked({}))["spent_s"])

    async def _asked(self, question: dict[str, Any]) -> dict[str, Any]:
        assert self._streams is not None
        reader, writer = self._streams
        async with self._turn:
            writer.write(json.dumps(question).encode() + b"\n")
            answer: dict[str, Any] = json.loads(await reader.readline())
        return answer


class ForkedProcess:
    """One program, forked, killed and forked again: as `simulators.processes.RunningProcess`.

    Attributes:
        name: for a reader.
        log: where everything goes that it prints.
        pid: its process id; 0 when it was never started.
    """

    def __init__(
        self, nursery: Nursery, name: str, arguments: list[str], log: Path, program: str = "duifu"
    ) -> None:
        self.name = name
        self.log = log
        self.pid = 0
        self._nursery = nursery
        self._arguments = arguments
        self._program = program
        self._descriptor: int | None = None
        self._is_gone = asyncio.Event()

    @property
    def is_running(self) -> bool:
        """Whether it lives."""
        return self._descriptor is not None

    async def start(self, variables: Mapping[str, str]) -> None:
        """Start it, or start it again; the environment is the nursery's."""
        del variables
        self.pid = await self._nursery.fork(self._program, self._arguments, self.log)
        self._is_gone.clear()
        try:
            self._descriptor = os.pidfd_open(self.pid)
        except ProcessLookupError:
            self._is_gone.set()
        else:
            asyncio.get_running_loop().add_reader(self._descriptor, self._gone)

    async def kill(self) -> None:
        """End it as the kernel would: no farewell."""
        await self._signalled(signal.SIGKILL)

    async def stop(self) -> None:
        """Ask it to end and wait for that; a second later it is killed."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(10.0):
                await self._signalled(signal.SIGTERM)
        await self.kill()

    async def ended(self) -> None:
        """Wait until it has ended, by itself or not."""
        await self._is_gone.wait()

    def last_words(self) -> str:
        """Give the end of its log."""
        try:
            lines = self.log.read_text("utf-8", "replace").splitlines()
        except OSError:
            return ""
        return "\n".join(lines[-_TAIL_LINES:])

    async def _signalled(self, number: signal.Signals) -> None:
        if self._descriptor is not None:
            with contextlib.suppress(ProcessLookupError):
                signal.pidfd_send_signal(self._descriptor, number)
            await self._is_gone.wait()

    def _gone(self) -> None:
        descriptor, self._descriptor = self._descriptor, None
        assert descriptor is not None
        asyncio.get_running_loop().remove_reader(descriptor)
        os.close(descriptor)
        self._is_gone.set()


def main() -> None:
    """Import everything, then fork whatever is asked for until the owner is gone."""
    with socket.socket(fileno=int(sys.argv[1])) as owner:
        modules = {name: import_module(name) for name in _IMPORTS}
        signal.signal(signal.SIGCHLD, _reap)
        gc.collect()
        gc.freeze()
        for line in owner.makefile("rb"):
            asked = json.loads(line)
            answer: dict[str, float]
            if asked:
                run: Callable[[], None] = modules[PROGRAMS[asked["program"]]].main
                answer = {"pid": _forked(owner, run, asked["arguments"], asked["log"])}
            else:
                used = resource.getrusage(resource.RUSAGE_CHILDREN)
                answer = {"spent_s": used.ru_utime + used.ru_stime}
            owner.sendall(json.dumps(answer).encode() + b"\n")


def _forked(owner: socket.socket, run: Callable[[], None], arguments: list[str], log: str) -> int:
    pid = os.fork()
    if pid:
        return pid
    status = 1
    try:
        owner.close()
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        os.setsid()
        descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        for number in (1, 2):
            os.dup2(descriptor, number)
        sys.argv = ["duifu", *arguments]
        run()
    except SystemExit as end:
        status = end.code if isinstance(end.code, int) else 1
    finally:
        sys.stderr.flush()
        os._exit(status)  # nothing of the nursery may run in a child


def _reap(*_: object) -> None:
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG) != (0, 0):
            pass


if __name__ == "__main__":
    main()
