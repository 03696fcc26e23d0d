"""Gives readers their keys on a technician's word, and says what came of it."""

import asyncio
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

import structlog

from edge.reader_keys import KeyFileThereError, drop_new_key, take_new_key, write_new_key
from firmware_interfaces.observations import Command, Install, Observation, Rekey, Seen
from firmware_interfaces.osdp.reader import EITHER_KEY, INSTALL_S_MAX, KEEPS_KEY
from firmware_interfaces.osdp.settings import KEY_BYTES

INSTALL: Final = "install"
REKEY: Final = "rekey"
REKEY_S_MAX: Final = 20.0
MORE_S: Final = 5.0
"""How much longer than its window a technician waits for what came of it."""

NO_SUCH_READER: Final = "no_such_reader"
NO_KEY_FILE: Final = "no_key_file"
UNFINISHED: Final = "unfinished"
BUSY: Final = "busy"
UNWRITABLE: Final = "unwritable"
SILENT: Final = "silent"

_ENDS: Final = {Seen.INSTALL_CLOSED, Seen.REKEYED, Seen.REFUSED_BY_DEVICE}

log = structlog.get_logger()


class Keying:
    """The readers of one box and what is being done about their keys.

    Args:
        key_files: of every reader, by its name; None where the key stands in the settings.
        tell: hands a command to a reader's line; False when it takes none.
        random_bytes: gives so many unguessable bytes.
    """

    def __init__(
        self,
        key_files: Mapping[str, Path | None],
        tell: Callable[[Command], bool],
        random_bytes: Callable[[int], bytes],
    ) -> None:
        self._key_files = key_files
        self._tell = tell
        self._random_bytes = random_bytes
        self._awaited: dict[str, asyncio.Future[dict[str, Any]]] = {}

    def settings_changed(self, key_files: Mapping[str, Path | None]) -> None:
        """Know the readers of new settings."""
        self._key_files = key_files

    async def act(self, request: dict[str, Any]) -> dict[str, Any]:
        """Do what a technician asks; `outcome` says what came of it, `value` why."""
        device, for_s = str(request.get("device")), request.get("for_s", 120)
        if device not in self._key_files:
            return {"outcome": NO_SUCH_READER}
        if device in self._awaited:
            return {"outcome": BUSY}
        if request.get("act") == REKEY:
            return await self._rekey(device)
        is_span = isinstance(for_s, int) and 0 < for_s <= INSTALL_S_MAX
        window_s = for_s if is_span else INSTALL_S_MAX
        return await self._outcome(Install(device, window_s), window_s + MORE_S)

    async def _rekey(self, device: str) -> dict[str, Any]:
        key_file = self._key_files[device]
        if key_file is None:
            return {"outcome": NO_KEY_FILE}
        key = self._random_bytes(KEY_BYTES)
        try:
            write_new_key(key_file, key)
        except KeyFileThereError:
            return {"outcome": UNFINISHED}
        except OSError as error:
            return {"outcome": UNWRITABLE, "value": str(error)}
        return await self._outcome(Rekey(device, key), REKEY_S_MAX)

    async def _outcome(self, command: Install | Rekey, wait_s: float) -> dict[str, Any]:
        awaited: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()
        self._awaited[command.device] = awaited
        try:
            if not self._tell(command):
                self._forget(command)
                return {"outcome": BUSY}
            async with asyncio.timeout(wait_s):
                return await awaited
        except TimeoutError:
            return {"outcome": SILENT}
        finally:
            del self._awaited[command.device]

    def observed(self, observation: Observation) -> None:
        """Take in what a reader said about its keys, asked for just now or before a start."""
        device = observation.device
        if observation.seen not in _ENDS or device not in self._key_files:
            return
        self._settle(observation)
        awaited = self._awaited.get(device)
        if awaited is not None and not awaited.done():
            outcome = {"outcome": observation.seen.name.lower(), "value": observation.value}
            awaited.set_result(outcome)

    def _settle(self, observation: Observation) -> None:
        """Keep the one key that is sure; while it is not, both."""
        key_file = self._key_files[observation.device]
        if key_file is None or observation.value == EITHER_KEY:
            return
        is_refused = observation.seen is Seen.REFUSED_BY_DEVICE
        was_asked = observation.device in self._awaited
        try:
            if observation.seen is Seen.REKEYED:
                take_new_key(key_file)
            elif is_refused and (was_asked or observation.value == KEEPS_KEY):
                drop_new_key(key_file)
        except OSError as error:
            log.warning("key file cannot be kept", path=str(key_file), reason=str(error))

    def _forget(self, command: Install | Rekey) -> None:
        key_file = self._key_files[command.device]
        if isinstance(command, Rekey) and key_file is not None:
            drop_new_key(key_file)
