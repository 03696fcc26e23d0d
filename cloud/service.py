"""The whole of headquarters on one screen: broker, link, web. Its clocks are read here."""

import asyncio
import gc
import os
import random
import secrets
import signal
from collections.abc import Callable
from typing import Final

import structlog
from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError

from agreed.codes import LETTERS, with_check
from cloud.api.app import make_app
from cloud.api.desk import Desk
from cloud.folder import Folder, Kept, store_trouble
from cloud.house import House
from cloud.link import Clock, Link
from cloud.opening import Settings, company_to_serve, listen, open_store, wall_clock
from cloud.outbox import Outbox
from cloud.web import Web

_CODE_LENGTH: Final = 10
"""Letters of a code before its check: 50 bits that nobody can guess."""

log = structlog.get_logger()


async def serve(settings: Settings, announce: Callable[[str], None]) -> None:
    """Run headquarters until a signal asks it to stop.

    Args:
        settings: as told.
        announce: called with the address of the pages, once everything can be used.

    Raises:
        RemedyError: a person can put it right.
    """
    # What was imported lives as long as the process: the collector need not look at it again.
    gc.freeze()
    folder = Folder(settings.data.absolute())
    lock = folder.prepare()
    clock = wall_clock(os.environ)
    try:
        engine = open_store(settings.database or folder.default_database, folder.path)
        try:
            await _run(settings, folder, clock, engine, announce)
        except* DBAPIError as group:
            error = _first(group)
            raise store_trouble(folder.path, error) or error from None
        finally:
            engine.dispose()
    finally:
        folder.withdraw()
        lock.close()


async def _run(
    settings: Settings,
    folder: Folder,
    clock: Clock,
    engine: Engine,
    announce: Callable[[str], None],
) -> None:
    company = company_to_serve(engine, settings, clock.wall_ms())
    house = House(settings, folder, engine, company)
    broker, address = await house.broker()
    listening = listen(settings.host, settings.port)
    database = settings.database or folder.default_database
    folder.keep(Kept(database=database, company=company, mqtt_url=house.mqtt_url))
    outbox = Outbox(random.SystemRandom().random)
    link = Link(engine, company, address, clock, outbox, broker.is_ready if broker else None)
    web = Web(make_app(_desk(house, folder, engine, company, clock, link)))
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(link.run())]
        if broker is not None:
            tasks += [group.create_task(broker.run()), group.create_task(house.watch_boxes(broker))]
        serving = group.create_task(web.serve(sockets=[listening]))
        await web.is_ready.wait()
        # Whoever ends us need not wait for a broker that does not come up.
        usable = link.is_connected if broker is not None else web.is_ready
        port = listening.getsockname()[1]
        tasks.append(group.create_task(house.tell(broker, port, announce, usable)))
        await stop.wait()
        await web.stop(serving)
        for task in tasks:
            task.cancel()
    log.info("headquarters stopped")


def _desk(  # everything the routes may use
    house: House, folder: Folder, engine: Engine, company: str, clock: Clock, link: Link
) -> Desk:
    loop = asyncio.get_running_loop()

    def wake() -> None:
        loop.call_soon_threadsafe(link.wake)

    return Desk(
        engine=engine,
        company=company,
        now_ms=clock.wall_ms,
        random_bytes=secrets.token_bytes,
        make_code=_make_code,
        login=house.login,
        wake=wake,
        token=folder.token(),
        is_open=house.is_open,
    )


def _make_code() -> str:
    return with_check("".join(secrets.choice(LETTERS) for _ in range(_CODE_LENGTH)))


def _first(group: BaseExceptionGroup[DBAPIError]) -> DBAPIError:
    error: BaseException = group
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    assert isinstance(error, DBAPIError)
    return error
