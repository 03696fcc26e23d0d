"""Opens what headquarters needs: the clocks, the store, the company, the ports."""

import socket
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import unquote, urlsplit

from sqlalchemy import Engine
from sqlalchemy.exc import ArgumentError, DBAPIError

from agreed.machine import parse_simulated_day
from agreed.words import RemedyError, say
from cloud.broker import free_port
from cloud.database.engine import open_engine
from cloud.database.migrate import NewerStoreError, migrate
from cloud.discipline import kernel_discipline
from cloud.folder import store_trouble
from cloud.link import BrokerAddress, Clock
from cloud.office.sites import SiteRequest, known_companies, open_company, open_site

SIMULATED_DAY: Final = "DUIFU_SIMULATED_DAY"
DEFAULT_COMPANY: Final = "company"
MQTT_PORT: Final = 1883


@dataclass(frozen=True, slots=True)
class Settings:
    """What `duifu cloud run` was told.

    Attributes:
        data: the data folder.
        company: key; None for the one that is there.
        sites: keys of sites to open if they are not there.
        host, port: of the web server; port 0 chooses one.
        broker: URL of another broker; None for our own.
        mqtt_port: of our own broker; 0 chooses one.
        database: URL; None for SQLite in the data folder.
    """

    data: Path
    company: str | None = None
    sites: tuple[str, ...] = ()
    host: str = "127.0.0.1"
    port: int = 8080
    broker: str | None = None
    mqtt_port: int = 1883
    database: str | None = None


def wall_clock(environment: Mapping[str, str]) -> Clock:
    """Choose the clocks: this machine's, or those of a day that is played faster.

    Raises:
        RemedyError: the day cannot be read.
    """
    text = environment.get(SIMULATED_DAY)
    if not text:
        return Clock(time.time_ns, time.monotonic_ns, kernel_discipline)
    try:
        day = parse_simulated_day(text)
    except ValueError:
        raise RemedyError(
            say("{name} is not WALL_NS:MONO_NS:SPEED; correct or unset it.", name=SIMULATED_DAY)
        ) from None
    return Clock(lambda: day.wall_ns(time.monotonic_ns()), time.monotonic_ns)


def open_store(url: str, path: Path) -> Engine:
    """Open the store and bring it up to date.

    Raises:
        RemedyError: it cannot be opened or written.
    """
    try:
        engine = open_engine(url)
        migrate(engine)
    except (ArgumentError, ValueError, ModuleNotFoundError):
        raise RemedyError(
            say("--database must be sqlite:///PATH or postgresql://USER:PASSWORD@HOST/NAME.")
        ) from None
    except NewerStoreError:
        raise RemedyError(
            say("The store was made by a newer Duifu; upgrade this one: pip install -U duifu.")
        ) from None
    except DBAPIError as error:
        raise store_trouble(path, error) or error from None
    return engine


def broker_address(url: str) -> BrokerAddress:
    """Read mqtt://USER:PASSWORD@HOST:PORT.

    Raises:
        RemedyError: it is not of that form.
    """
    wrong = RemedyError(say("--broker must be mqtt://USER:PASSWORD@HOST:PORT."))
    try:
        parts = urlsplit(url)
        port = parts.port or MQTT_PORT
    except ValueError:
        raise wrong from None
    if parts.scheme != "mqtt" or not parts.hostname or parts.path.strip("/"):
        raise wrong
    user = unquote(parts.username) if parts.username else None
    password = unquote(parts.password) if parts.password else None
    return BrokerAddress(parts.hostname, port, user, password)


def company_to_serve(engine: Engine, settings: Settings, now_ms: int) -> str:
    """Choose the company, and make it and the named sites if they are not there."""
    known = known_companies(engine)
    company = settings.company or (known[0] if known else DEFAULT_COMPANY)
    open_company(engine, company, company, now_ms)
    for site in settings.sites:
        open_site(engine, company, SiteRequest(site=site, name=site), now_ms)
    return company


def listen(host: str, port: int) -> socket.socket:
    """Take a port for the pages.

    Raises:
        RemedyError: it cannot be used.
    """
    free_port(host, port)
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listening.bind((host, port))
    return listening
