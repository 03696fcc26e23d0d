"""The three real processes of the durable path: a broker that may be wiped, headquarters, a box."""

import asyncio
import json
import os
import shutil
import sys
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final, Protocol, Self

import httpx

from agreed.machine import NS_PER_MS
from cloud.broker import box_account, broker_settings, headquarters_account
from simulators.folder import chosen_port
from simulators.processes import RunningProcess

COMPANY: Final = "greentown"
SITE: Final = "lakeside"
BOX: Final = "east-gate"
NAMES: Final = (COMPANY, SITE, BOX)
PASSWORD: Final = "of-a-stage"  # noqa: S105  # of a broker that lives for minutes, on loopback
READY_S_MAX: Final = 60.0
DAY_MS: Final = 24 * 3_600_000
_LOOK_S: Final = 0.02
_LOOPBACK: Final = "127.0.0.1"


class NotReadyError(Exception):
    """A process did not get ready; the message ends with its last words."""


class Process(Protocol):
    """A process that may be killed and started again, however it is started."""

    name: str

    @property
    def pid(self) -> int:
        """Its process id."""
        ...

    @property
    def is_running(self) -> bool:
        """Whether it lives."""
        ...

    async def start(self, variables: Mapping[str, str]) -> None:
        """Start it, or start it again."""
        ...

    async def kill(self) -> None:
        """End it without a farewell."""
        ...

    async def stop(self) -> None:
        """Ask it to end."""
        ...

    def last_words(self) -> str:
        """Give the end of its log."""
        ...


class Starter(Protocol):
    """Makes processes of `duifu`, or of another program of ours."""

    def __call__(
        self, name: str, arguments: list[str], log: Path, program: str = "duifu"
    ) -> Process:
        """Prepare one."""
        ...


_MODULES: Final = {"duifu": "duifu", "trusting box": "simulators.kills.trusting_box"}


def executed(name: str, arguments: list[str], log: Path, program: str = "duifu") -> Process:
    """Prepare a process that starts from nothing, as a service manager starts it."""
    return RunningProcess(name, [sys.executable, "-m", _MODULES[program], *arguments], log)


class Stage:
    """What a box needs to be believed, each in its own process, in one folder.

    Attributes:
        broker: a NATS server that speaks MQTT, outside headquarters, so that both die alone.
        headquarters: `duifu cloud run` with SQLite.
        store: headquarters' file.
        boxes: their names.
        starter: makes the processes of a box and of headquarters.
        broker_port: where MQTT is spoken.
    """

    def __init__(
        self, folder: Path, boxes: Sequence[str] = (BOX,), starter: Starter = executed
    ) -> None:
        """Prepare headquarters, a broker and the names of boxes, in a folder of their own."""
        self.folder = folder
        self.boxes = tuple(boxes)
        self.starter = starter
        self.broker_port = chosen_port(None)
        self._web_port = chosen_port(None)
        self._broker_folder = folder / "broker"
        self._data = folder / "headquarters"
        self.store = self._data / "headquarters.db"
        server = str(Path(sys.executable).with_name("nats-server"))
        config = str(self._broker_folder / "broker.conf")
        self.broker: Process = RunningProcess(
            "broker", [server, "-c", config], folder / "broker.log"
        )
        options = ["--company", COMPANY, "--site", SITE, "--port", str(self._web_port)]
        broker = f"mqtt://headquarters:{PASSWORD}@{_LOOPBACK}:{self.broker_port}"
        arguments = ["cloud", "run", "--data", str(self._data), *options, "--broker", broker]
        self.headquarters = starter("headquarters", arguments, folder / "headquarters.log")

    async def __aenter__(self) -> Self:
        """Start broker and headquarters, and take the boxes into service."""
        self._broker_folder.mkdir(parents=True)
        accounts = [headquarters_account(PASSWORD)]
        accounts += [box_account(COMPANY, SITE, box, PASSWORD) for box in self.boxes]
        settings = broker_settings(self._broker_folder, _LOOPBACK, self.broker_port, accounts)
        (self._broker_folder / "broker.conf").write_text(settings)
        try:
            await self.start_broker()
            await self.start_headquarters()
            async with self._client() as client:
                for box in self.boxes:
                    await _sent(client, "PUT", f"/boxes/{SITE}/{box}", None)
                    await _sent(client, "POST", f"/boxes/{SITE}/{box}/accept", None)
        except BaseException:
            await self.__aexit__()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        """End both."""
        await self.headquarters.stop()
        await self.broker.stop()

    async def start_broker(self) -> None:
        """Start it, or start it again, and wait until it can be connected.

        Raises:
            NotReadyError: it cannot.
        """
        await self.broker.start(os.environ)
        await _ready(self.broker, self._is_connectable)

    async def start_headquarters(self) -> None:
        """Start it, or start it again, and wait until it can be asked.

        Raises:
            NotReadyError: it cannot.
        """
        await self.headquarters.start(os.environ)
        await _ready(self.headquarters, self._is_announced)

    def wipe_broker(self) -> None:
        """Forget everything that a killed broker had stored."""
        shutil.rmtree(self._broker_folder / "store", ignore_errors=True)

    def journal(self, box: str = BOX) -> Path:
        """Name the journal of a box."""
        return self.folder / box / "data" / "journal.db"

    def write_box(self, lines: str, box: str = BOX) -> Path:
        """Write the settings of a box, with these tables for its devices."""
        folder = self.folder / box
        folder.mkdir(exist_ok=True)
        settings = folder / "box.toml"
        settings.write_text(
            f'company = "{COMPANY}"\nsite = "{SITE}"\nbox = "{box}"\ndata = "data"\n'
            f'[headquarters]\nurl = "mqtt://{_LOOPBACK}:{self.broker_port}"\n'
            f'user = "{COMPANY}/{SITE}/{box}"\npassword = "{PASSWORD}"\n'
            f"reconnect_s_max = 1\n{lines}"
        )
        settings.chmod(0o600)
        return settings

    async def book(self, count: int) -> dict[str, tuple[str, str]]:
        """Book orders of one task; gives each start code with its order and kind of record.

        Without their finish the orders stay open, so the codes stay good for ever.
        """
        codes: dict[str, tuple[str, str]] = {}
        booked_ms = time.time_ns() // NS_PER_MS + DAY_MS
        async with self._client() as client:
            await _sent(client, "POST", "/packs", _PACK)
            await _sent(client, "POST", f"/sites/{SITE}/workers", {"worker": "w-1", "name": "W"})
            for first in range(0, count, 100):
                orders = [
                    {
                        "order_id": f"o-{number:05d}",
                        "pack": _PACK["key"],
                        "worker": "w-1",
                        "booked_from_ms": booked_ms,
                    }
                    for number in range(first, min(first + 100, count))
                ]
                booked = await _sent(client, "POST", f"/sites/{SITE}/orders/batch", orders)
                for one in booked.json():
                    for code in one["codes"]:
                        if code["action"] == "start":
                            codes[code["code"]] = one["order_id"], _KINDS["start"]
        return codes

    async def directives_waiting(self) -> int:
        """Count what the boxes were not yet told."""
        waiting = 0
        async with self._client() as client:
            for box in self.boxes:
                told = (await _sent(client, "GET", f"/boxes/{SITE}/{box}", None)).json()
                waiting += int(told["directives_waiting"])
        return waiting

    async def _is_connectable(self) -> bool:
        try:
            _reader, writer = await asyncio.open_connection(_LOOPBACK, self.broker_port)
        except OSError:
            return False
        writer.close()
        return True

    async def _is_announced(self) -> bool:
        try:
            running = json.loads((self._data / "run.json").read_text("utf-8"))
        except (OSError, ValueError):
            return False
        is_this_one: bool = running["pid"] == self.headquarters.pid
        return is_this_one

    @asynccontextmanager
    async def _client(self) -> AsyncIterator[httpx.AsyncClient]:
        token = (self._data / "token").read_text("ascii").strip()
        headers = {"Authorization": f"Bearer {token}"}
        url = f"http://{_LOOPBACK}:{self._web_port}/api/v1"
        async with httpx.AsyncClient(
            base_url=url, headers=headers, trust_env=False, timeout=READY_S_MAX
        ) as client:
            yield client


async def _ready(process: Process, is_ready: Any) -> None:
    until_s = time.monotonic() + READY_S_MAX
    while not await is_ready():
        if time.monotonic() > until_s or not process.is_running:
            raise NotReadyError(f"{process.name}: {process.last_words()}")
        await asyncio.sleep(_LOOK_S)


async def _sent(client: httpx.AsyncClient, method: str, path: str, body: Any) -> httpx.Response:
    response = await client.request(method, path, json=body)
    if response.is_error:
        raise NotReadyError(f"{method} {path}: {response.status_code} {response.text}")
    return response


_KINDS: Final = {"start": "task_started", "finish": "task_finished"}
_NODE: Final = {
    "match": "order",
    "offset_minutes": 60,
    "tolerance_minutes": 10,
    "hard_minutes": 60,
    "rate_fen": 100,
}
_PACK: Final[dict[str, Any]] = {
    "key": "task",
    "name_zh": "任务",
    "name_en": "Task",
    "price_fen": 1_000,
    "platform_bp": 600,
    "pool_bp": 4_000,
    "nodes": [
        {"key": action, "name_zh": action, "name_en": action, "node_kind": kind, "code": action}
        | _NODE
        for action, kind in _KINDS.items()
    ],
}
