"""Headquarters as a real process, and the integrator who tells it everything over REST."""

import asyncio
import json
import os
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote, urlsplit

import httpx

from agreed.directives import CodeAction, Role
from agreed.machine import SimulatedDay
from agreed.promises import Match
from agreed.words import RemedyError, say
from simulators.box import SIMULATED_DAY, command
from simulators.cast import BOX, COMPANY, PACKS, SITE, Pack, Person
from simulators.day import DayPlan, PlannedOrder
from simulators.folder import chosen_port
from simulators.processes import RunningProcess, kill_by_pid
from simulators.site import SimulatedSite

SITE_NAME: Final = "御花园"
FUNDING_FEN: Final = 100_000
CONFLICT: Final = 409

_READY_S_MAX: Final = 60.0
_LOOK_S: Final = 0.05
_TRIES_MAX: Final = 100
_TRY_AGAIN_S: Final = 0.2
_AT_ONCE: Final = 8
_ORDERS_AT_ONCE: Final = 100
_YEAR_MS: Final = 365 * 24 * 3_600_000

Codes = dict[str, dict[CodeAction, str]]
"""The codes of orders, by order."""


class Headquarters(RunningProcess):
    """`duifu cloud run`, with the day's clock.

    Attributes:
        url: of its pages.
        store: the file with its store.
    """

    def __init__(self, folder: Path, port: int) -> None:
        self._data = folder / "headquarters"
        self._mqtt_port = chosen_port(None)
        options = ("--company", COMPANY, "--port", str(port), "--mqtt-port", str(self._mqtt_port))
        arguments = command("cloud", "run", "--data", str(self._data), *options)
        super().__init__("headquarters", arguments, folder / "headquarters.log")
        self.url = f"http://127.0.0.1:{port}"
        self.store = self._data / "headquarters.db"
        self._login: dict[str, str] = {}

    async def begin(self, day: SimulatedDay) -> None:
        """Start it, or start it again, in this day, and wait until it can be used.

        Raises:
            RemedyError: it ended, or did not get ready.
        """
        await self.start({**os.environ, SIMULATED_DAY: str(day)})
        until_s = time.monotonic() + _READY_S_MAX
        while self._running().get("pid") != self.pid:
            if time.monotonic() > until_s or not self.is_running:
                raise RemedyError(
                    say(
                        "Headquarters does not get ready; its last words are in {path}.",
                        path=self.log,
                    )
                )
            await asyncio.sleep(_LOOK_S)

    async def stop(self) -> None:
        """End it, and its broker too if it could not do so itself."""
        broker_pid = self._running().get("broker_pid")
        await super().stop()
        if broker_pid is not None and self._is_ours(broker_pid):
            kill_by_pid(broker_pid)

    def kill_broker(self) -> bool:
        """Kill -9 its broker; False when there is none just now."""
        pid = self._running().get("broker_pid")
        return pid is not None and self._is_ours(pid) and kill_by_pid(pid)

    def broker_address(self) -> tuple[str, int]:
        """Say where the broker listens."""
        return "127.0.0.1", self._mqtt_port

    async def prepare(self, plan: DayPlan) -> Codes:
        """Create everything that is known before the day, as an integrator would."""
        before = [order for order in plan.orders if order.created_at_ms is None]
        async with self._client() as client:
            site = {"site": SITE, "name": SITE_NAME}
            await _sent(client, "POST", "/sites", site)
            for pack in PACKS.values():
                await _sent(client, "POST", "/packs", _pack_body(pack))
            for worker in plan.cast.everyone_working():
                body = {"worker": worker.id, "name": worker.name}
                await _sent(client, "POST", f"/sites/{SITE}/workers", body)
            funding = {"key": "demo", "amount_fen": FUNDING_FEN, "note": "新利润空间"}
            await _sent(client, "POST", f"/sites/{SITE}/pool", funding)
            await self._put_cards(client, plan)
            codes: Codes = {}
            for first in range(0, len(before), _ORDERS_AT_ONCE):
                orders = before[first : first + _ORDERS_AT_ONCE]
                bodies = [_order_body(order) for order in orders]
                booked = await _sent(client, "POST", f"/sites/{SITE}/orders/batch", bodies)
                codes |= {one["order_id"]: _codes(one["codes"]) for one in booked.json()}
            await _sent(client, "PUT", f"/boxes/{SITE}/{BOX}", None)
            accepted = await _sent(client, "POST", f"/boxes/{SITE}/{BOX}/accept", None)
            self._login = accepted.json()["login"]
        return codes

    def write_account(self, site: SimulatedSite, port: int) -> None:
        """Write the box's settings, with the way to the broker that leads through `port`."""
        url = f"{urlsplit(self._login['url']).scheme}://127.0.0.1:{port}"
        site.write_settings(url, self._login["user"], self._login["password"])

    async def is_box_ready(self) -> bool:
        """Whether the box has applied everything that it was told."""
        async with self._client() as client:
            box = (await _sent(client, "GET", f"/boxes/{SITE}/{BOX}", None)).json()
        return bool(box["is_online"] and box["applied_through"] and not box["directives_waiting"])

    async def create_order(self, order: PlannedOrder) -> dict[CodeAction, str]:
        """Create one order while the day runs."""
        async with self._client() as client:
            path = f"/sites/{SITE}/orders"
            response = await _sent(client, "POST", path, _order_body(order))
            if response.status_code == CONFLICT:  # it was booked before headquarters died
                path = f"/orders/{SITE}/{order.order}"
                response = await _sent(client, "GET", path, None)
            return _codes(response.json()["codes"])

    async def renew(self, plan: DayPlan, worker: Person) -> None:
        """Make a worker's card valid again."""
        until_ms = plan.midnight_ms + _YEAR_MS
        async with self._client() as client:
            await _put_card(client, worker, Role.WORKER, plan.midnight_ms - _YEAR_MS, until_ms)

    async def _put_cards(self, client: httpx.AsyncClient, plan: DayPlan) -> None:
        turn = asyncio.Semaphore(_AT_ONCE)

        async def put(person: Person, role: Role) -> None:
            until_ms = plan.expiry_ms.get(person.id, plan.midnight_ms + _YEAR_MS)
            async with turn:
                await _put_card(client, person, role, plan.midnight_ms - _YEAR_MS, until_ms)

        async with asyncio.TaskGroup() as group:
            for worker in plan.cast.everyone_working():
                group.create_task(put(worker, Role.WORKER))
            for resident in plan.cast.residents:
                group.create_task(put(resident, Role.RESIDENT))

    @asynccontextmanager
    async def _client(self) -> AsyncIterator[httpx.AsyncClient]:
        token = (self._data / "token").read_text("ascii").strip()
        headers = {"Authorization": f"Bearer {token}"}
        base = f"{self.url}/api/v1"
        async with httpx.AsyncClient(base_url=base, headers=headers, trust_env=False) as client:
            yield client

    def _running(self) -> dict[str, Any]:
        try:
            running: dict[str, Any] = json.loads((self._data / "run.json").read_text("utf-8"))
        except (OSError, ValueError):
            return {}
        return running

    def _is_ours(self, pid: int) -> bool:
        try:
            return str(self._data).encode() in Path(f"/proc/{pid}/cmdline").read_bytes()
        except OSError:
            return False


async def _sent(client: httpx.AsyncClient, method: str, path: str, body: Any) -> httpx.Response:
    """Send a request until it is answered; headquarters may be starting again just now."""
    for _ in range(_TRIES_MAX):
        try:
            response = await client.request(method, path, json=body)
        except httpx.TransportError:
            await asyncio.sleep(_TRY_AGAIN_S)
            continue
        if response.is_error and response.status_code != CONFLICT:
            raise RemedyError(f"{method} {path}: {response.status_code} {response.text}")
        return response
    raise RemedyError(say("Headquarters does not answer at {url}.", url=client.base_url))


async def _put_card(
    client: httpx.AsyncClient, person: Person, role: Role, from_ms: int, until_ms: int
) -> None:
    body = {
        "subject": person.id,
        "role": role.value,
        "valid_from_ms": from_ms,
        "valid_until_ms": until_ms,
    }
    await _sent(client, "PUT", f"/sites/{SITE}/credentials/{quote(person.card, safe='')}", body)


def _pack_body(pack: Pack) -> dict[str, Any]:
    return {
        "key": pack.service.value,
        "name_zh": pack.name_zh,
        "name_en": pack.name_en,
        "price_fen": pack.price_fen,
        "platform_bp": 600,
        "pool_bp": 4_000,
        "nodes": [
            {
                "key": node.node,
                "name_zh": node.name_zh,
                "name_en": node.name_en,
                "node_kind": node.node_kind,
                "match": "worker" if node.match is Match.BY_WORKER else "order",
                "offset_minutes": node.after_minutes,
                "opens_minutes": node.opens_minutes,
                "tolerance_minutes": node.tolerance_minutes,
                "hard_minutes": node.hard_minutes,
                "at_risk_minutes": 10,
                "weight": node.weight,
                "rate_fen": node.rate_fen,
                "code": node.code.value if node.code else None,
            }
            for node in pack.nodes
        ],
    }


def _order_body(order: PlannedOrder) -> dict[str, Any]:
    return {
        "order_id": order.order,
        "pack": order.service.value,
        "worker": order.worker,
        "resident": order.resident,
        "booked_from_ms": order.at_ms,
    }


def _codes(codes: list[dict[str, str]]) -> dict[CodeAction, str]:
    return {CodeAction(code["action"]): code["code"] for code in codes}
