"""What the parts of one running headquarters share: who it is, and where it is found."""

import asyncio
import os
from collections.abc import Callable
from typing import Final, Never

from sqlalchemy import Engine

from cloud.broker import Account, Broker, box_account, free_port, headquarters_account
from cloud.database.engine import reading
from cloud.database.fleet import BoxName, credential_numbers
from cloud.folder import Folder, Running, unusable
from cloud.link import BrokerAddress
from cloud.opening import Settings, broker_address
from cloud.passwords import derived_password

WATCH_S: Final = 0.5
TELL_S: Final = 0.1
LOOPBACK: Final = frozenset({"127.0.0.1", "localhost", "::1"})


class House:
    """One headquarters.

    Attributes:
        mqtt_url: where boxes reach the broker, once `broker` was called.
    """

    def __init__(self, settings: Settings, folder: Folder, engine: Engine, company: str) -> None:
        """Prepare; nothing is started."""
        self.mqtt_url = ""
        self._settings = settings
        self._folder = folder
        self._engine = engine
        self._company = company
        self._secret = folder.secret()
        self._headquarters = headquarters_account(derived_password(self._secret))

    @property
    def is_open(self) -> bool:
        """Whether only this machine can reach the pages."""
        return self._settings.host in LOOPBACK

    async def broker(self) -> tuple[Broker | None, BrokerAddress]:
        """Prepare our own broker, or find the one that we were told of."""
        host = self._settings.host
        if self._settings.broker is not None:
            address = broker_address(self._settings.broker)
            self.mqtt_url = f"mqtt://{address.host}:{address.port}"
            return None, address
        # What a killed headquarters left behind would hold the port.
        await Broker(self._folder.broker, host, 0).end_orphan()
        port = free_port(host, self._settings.mqtt_port)
        broker = Broker(self._folder.broker, host, port)
        try:
            broker.use(self._accounts())
        except OSError as error:
            raise unusable(self._folder.path, error) from None
        self.mqtt_url = f"mqtt://{reachable(host)}:{port}"
        account = self._headquarters
        return broker, BrokerAddress(reachable(host), port, account.user, account.password)

    def login(self, name: BoxName, number: int) -> tuple[str, Account] | None:
        """Give what a box needs to reach our own broker."""
        if self._settings.broker is not None:
            return None
        password = derived_password(self._secret, *name, number=number)
        return self.mqtt_url, box_account(*name, password)

    async def watch_boxes(self, broker: Broker) -> Never:
        """Admit boxes to the broker as they are accepted, by whichever process."""
        while True:
            broker.use(await asyncio.to_thread(self._accounts))
            await asyncio.sleep(WATCH_S)

    async def tell(
        self,
        broker: Broker | None,
        port: int,
        announce: Callable[[str], None],
        usable: asyncio.Event,
    ) -> Never:
        """Say once that everything can be used, and keep `run.json` true from then on."""
        await usable.wait()
        host = reachable(self._settings.host)
        api_url = f"http://{f'[{host}]' if ':' in host else host}:{port}"
        told: Running | None = None
        while True:
            running = Running(
                api_url=api_url,
                mqtt_url=self.mqtt_url,
                broker_pid=broker.pid if broker else None,
                pid=os.getpid(),
            )
            if running != told:
                self._folder.announce(running)
            if told is None:
                announce(api_url + ("" if self.is_open else f"/?token={self._folder.token()}"))
            told = running
            await asyncio.sleep(TELL_S)

    def _accounts(self) -> list[Account]:
        with reading(self._engine) as connection:
            numbers = credential_numbers(connection, self._company)
        boxes = [
            box_account(*name, derived_password(self._secret, *name, number=number))
            for name, number in numbers
        ]
        return [self._headquarters, *boxes]


def reachable(host: str) -> str:
    """Name an address that this machine itself can use."""
    return {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104  # only compared
