"""What box.toml may say, and one sentence for everything that can be wrong with it."""

import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Final, Literal, Self
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
    model_validator,
)
from pydantic_core import PydanticCustomError

from agreed.limits import NAME_PATTERN
from agreed.words import RemedyError, say
from edge.remedies import NAMED_TWICE, NO_DEVICE, ONLY_HEARD, USED_TWICE, settings_sentence
from firmware_interfaces.ble.settings import BleLine
from firmware_interfaces.contacts.settings import ContactsLine
from firmware_interfaces.locker.settings import LockerLine
from firmware_interfaces.modbus.settings import ModbusLine
from firmware_interfaces.osdp.settings import OsdpLine
from firmware_interfaces.scanner.settings import ScannerLine
from firmware_interfaces.settings import LineSettings, device_names
from firmware_interfaces.uhppote.settings import UhppoteLine
from firmware_interfaces.wiegand.settings import WiegandLine
from firmware_interfaces.wiring import DeviceName

SETTINGS_BYTES_MAX: Final = 256 * 1024
LINES_COUNT_MAX: Final = 32
GATES_COUNT_MAX: Final = 64
KIOSKS_COUNT_MAX: Final = 16
PORTS: Final = {"mqtt": 1883, "mqtts": 8883}

Name = Annotated[str, Field(pattern=NAME_PATTERN)]


def _known_url(text: str) -> str:
    try:
        parts = urlsplit(text)
        is_known = parts.scheme in PORTS and bool(parts.hostname) and parts.port != 0
    except ValueError:
        is_known = False
    else:
        is_known = is_known and not (parts.username or parts.path.strip("/") or parts.query)
    if not is_known:
        raise ValueError(
            say("write mqtt://host:1883 or mqtts://host:8883; user and password apart")
        )
    return text


class _Settings(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Headquarters(_Settings):
    """Where the box reports.

    Attributes:
        url: the broker, mqtt://host:1883, or mqtts://host:8883 with TLS.
        user: name of the box's account at the broker; empty for none.
        password: of that account.
        password_file: a file with the password in its first line, instead of `password`.
        ca_file: certificates that the broker's own is checked against; the system's if left out.
        reconnect_s_max: the longest wait between two attempts to connect.
    """

    url: Annotated[str, AfterValidator(_known_url)]
    user: Annotated[str, Field(max_length=255)] = ""
    password: SecretStr | None = None
    password_file: Path | None = None
    ca_file: Path | None = None
    reconnect_s_max: Annotated[int, Field(ge=1, le=3_600)] = 30

    @property
    def host(self) -> str:
        """The broker's host."""
        return urlsplit(self.url).hostname or ""

    @property
    def port(self) -> int:
        """The broker's port."""
        parts = urlsplit(self.url)
        return parts.port or PORTS[parts.scheme]

    @property
    def is_encrypted(self) -> bool:
        """Whether TLS is spoken."""
        return urlsplit(self.url).scheme == "mqtts"

    def read_password(self) -> str | None:
        """Give the password, from its file if it has one.

        Raises:
            RemedyError: the file cannot be read.
        """
        if self.password_file is None:
            return self.password.get_secret_value() if self.password else None
        try:
            lines = self.password_file.read_text("utf-8").splitlines()
        except (OSError, UnicodeDecodeError):
            lines = []
        if not lines or not lines[0]:
            raise RemedyError(
                say(
                    "headquarters.password_file: {path} cannot be read or is empty; "
                    "put the box's password into its first line.",
                    path=self.password_file,
                )
            )
        return lines[0]

    @model_validator(mode="after")
    def _one_password(self) -> Self:
        if self.password is not None and self.password_file is not None:
            raise ValueError(say("give at most one of password and password_file"))
        if (self.password or self.password_file) and not self.user:
            raise ValueError(say("a password needs a user"))
        return self


class JournalSettings(_Settings):
    """How the journal writes.

    Attributes:
        window_ms: how long a gate passage may wait so that others share its write to the card;
            lockers and tasks never wait. A longer window wears the card less.
        telemetry_window_ms: likewise for what nobody waits for: signs of life, devices lost and
            back; whatever is written earlier takes it along.
        telemetry_room_mib: with less room than this on the card telemetry is refused.
        custody_room_mib: with less room than this no parcel and no task begins.
        retention_days: how long a record stays on the box after headquarters holds it.
    """

    window_ms: Annotated[int, Field(ge=0, le=5_000)] = 200
    telemetry_window_ms: Annotated[int, Field(ge=0, le=60_000)] = 5_000
    telemetry_room_mib: Annotated[int, Field(ge=2, le=1_000_000)] = 64
    custody_room_mib: Annotated[int, Field(ge=2, le=1_000_000)] = 16
    retention_days: Annotated[int, Field(ge=0, le=36_500)] = 30

    @model_validator(mode="after")
    def _telemetry_first(self) -> Self:
        if self.telemetry_room_mib < self.custody_room_mib:
            raise ValueError(say("telemetry_room_mib must not be less than custody_room_mib"))
        return self


class Gate(_Settings):
    """One direction of one gate.

    Attributes:
        reader: the reader's name in its `[[line]]`; left out where there is only a button.
        opener: the device that moves it; the reader itself if left out.
        button: the door whose exit button opens it; left out where there is none.
        open_ms: how long the opener is driven.
    """

    reader: DeviceName | None = None
    opener: DeviceName | None = None
    button: DeviceName | None = None
    open_ms: Annotated[int, Field(ge=100, le=60_000)] = 3_000

    @model_validator(mode="after")
    def _has_anything(self) -> Self:
        if self.reader is None and (self.button is None or self.opener is None):
            raise ValueError(say("a gate needs a reader, or a button and an opener"))
        return self

    @property
    def name(self) -> str:
        """What its records are about: the reader, or the button where there is none."""
        name = self.reader or self.button
        assert name is not None, "checked with the settings"
        return name


class Beacon(_Settings):
    """A beacon that is no person's badge: a trolley, a machine, a room.

    Attributes:
        name: what it is called in records.
        identity: as the radio tells it: ibeacon:…, uid:… or eid:….
    """

    name: DeviceName
    identity: Annotated[str, Field(min_length=5, max_length=128)]


class StaffPlace(_Settings):
    """A place where badges of staff and beacons are noticed.

    Attributes:
        radio: the radio's name in its `[[line]]`.
        beacons: what else is noticed there.
    """

    radio: DeviceName
    beacons: Annotated[tuple[Beacon, ...], Field(max_length=256)] = ()


class Kiosk(_Settings):
    """One kiosk.

    Attributes:
        scanner: the scanner's name in its `[[line]]`.
        bank: the locker bank that its codes open; left out where there is none.
    """

    scanner: DeviceName
    bank: DeviceName | None = None


class BoxSettings(_Settings):
    """Everything that box.toml says.

    Attributes:
        company, site, box: names as headquarters knows them.
        data: folder of the journal and of what the box has learned.
        alive_s: how often the box records that it was there to record.
        headquarters: where it reports.
        journal: how it writes.
        gate, kiosk, place: what the devices are for.
        line: the wires and the devices on them, see docs/devices.md.
    """

    company: Name
    site: Name
    box: Name
    data: Path
    alive_s: Annotated[int, Field(ge=1, le=86_400)] = 300
    headquarters: Headquarters
    journal: JournalSettings = JournalSettings()
    gate: Annotated[tuple[Gate, ...], Field(max_length=GATES_COUNT_MAX)] = ()
    kiosk: Annotated[tuple[Kiosk, ...], Field(max_length=KIOSKS_COUNT_MAX)] = ()
    place: Annotated[tuple[StaffPlace, ...], Field(max_length=KIOSKS_COUNT_MAX)] = ()
    line: Annotated[tuple[LineSettings, ...], Field(max_length=LINES_COUNT_MAX)] = ()

    def banks(self) -> dict[str, int]:
        """Give the compartments of every locker bank, by its name."""
        lines = (line for line in self.line if isinstance(line, LockerLine))
        return {bank.name: bank.compartments for line in lines for bank in line.devices}

    @model_validator(mode="after")
    def _roles(self) -> Self:
        names = [name for line in self.line for name in device_names(line)]
        if twice := [name for name in names if names.count(name) > 1]:
            raise PydanticCustomError(NAMED_TWICE, "{name} is named twice", {"name": twice[0]})
        self._check_listeners()
        for field, used, known in self._uses():
            if used not in known:
                raise PydanticCustomError(
                    NO_DEVICE, "{setting}: no device {name}", {"setting": field, "name": used}
                )
        roles = [gate.name for gate in self.gate] + [kiosk.scanner for kiosk in self.kiosk]
        roles += [place.radio for place in self.place]
        if twice := [name for name in roles if roles.count(name) > 1]:
            raise PydanticCustomError(USED_TWICE, "{name} is used twice", {"name": twice[0]})
        return self

    def _check_listeners(self) -> None:
        """Refuse to let a gate move by, or with, a reader that another controller commands."""
        heard = self.listeners()
        for gate in self.gate:
            moves = gate.opener is not None or gate.button is not None
            named = {gate.name} if moves else set()
            if wrong := sorted(heard & (named | {gate.opener})):
                raise PydanticCustomError(ONLY_HEARD, "{name} is only heard", {"name": wrong[0]})

    def _uses(self) -> Iterator[tuple[str, str, set[str]]]:
        for gate in self.gate:
            yield from self._used_by(gate)
        for place in self.place:
            yield "place.radio", place.radio, self._devices_of(BleLine)
        for kiosk in self.kiosk:
            yield "kiosk.scanner", kiosk.scanner, self._devices_of(ScannerLine)
            if kiosk.bank is not None:
                yield "kiosk.bank", kiosk.bank, self._devices_of(LockerLine)

    def _used_by(self, gate: Gate) -> Iterator[tuple[str, str, set[str]]]:
        if gate.reader is not None:
            yield "gate.reader", gate.reader, self._readers()
        if gate.name not in self.listeners():
            yield "gate.opener", gate.opener or gate.name, self._openers()
        if gate.button is not None:
            yield "gate.button", gate.button, self._doors("button")

    def written(self) -> set[Path]:
        """Name the folders that the running box writes into: its data, and readers' keys."""
        lines = (line for line in self.line if isinstance(line, OsdpLine))
        files = (reader.key_file for line in lines for reader in line.devices)
        return {self.data} | {file.parent for file in files if file is not None}

    def listeners(self) -> set[str]:
        """Name the readers that another controller commands: the box only hears them."""
        lines = (line for line in self.line if isinstance(line, OsdpLine) and line.mode == "listen")
        return {name for line in lines for name in device_names(line)}

    def showing(self) -> set[str]:
        """Name the readers that can show a refusal."""
        return self._devices_of(OsdpLine) - self.listeners()

    def _readers(self) -> set[str]:
        families = (OsdpLine, WiegandLine, UhppoteLine)
        return {name for family in families for name in self._devices_of(family)}

    def _openers(self) -> set[str]:
        return self.showing() | self._devices_of(UhppoteLine) | self._doors("strike")

    def _doors(self, wire: Literal["strike", "button"]) -> set[str]:
        """Name the doors, on pins or boards, that have this wire."""
        lines = (line for line in self.line if isinstance(line, ModbusLine | ContactsLine))
        doors = (door for line in lines for door in line.devices)
        return {door.name for door in doors if getattr(door, wire) is not None}

    def _devices_of(self, family: type) -> set[str]:
        lines = (line for line in self.line if isinstance(line, family))
        return {name for line in lines for name in device_names(line)}


def read_settings(path: Path) -> BoxSettings:
    """Read box.toml; relative paths in it start from its own folder.

    Raises:
        RemedyError: the file is missing or anything in it is wrong.
    """
    try:
        with path.open("rb") as file:
            text = file.read(SETTINGS_BYTES_MAX + 1)
    except FileNotFoundError:
        raise RemedyError(
            say("{path} is not there; copy the example from docs/box.md and edit it.", path=path)
        ) from None
    except OSError as error:
        raise RemedyError(
            say(
                "{path} cannot be read ({why}); check the path and its rights.",
                path=path,
                why=error.strerror,
            )
        ) from None
    if len(text) > SETTINGS_BYTES_MAX:
        raise RemedyError(say("{path} is far too large; is it the right file?", path=path))
    return _checked(path, text)


def _checked(path: Path, text: bytes) -> BoxSettings:
    try:
        table = tomllib.loads(text.decode())
    # Besides its own error tomllib lets those of too many digits and of too deep lists through.
    except (ValueError, RecursionError) as error:
        raise RemedyError(
            say("{path} is not valid TOML ({why}); correct that place.", path=path, why=error)
        ) from None
    _resolve(table, path.parent)
    try:
        return BoxSettings.model_validate(table)
    except ValidationError as error:
        raise RemedyError(settings_sentence(path, error)) from None


def _resolve(table: dict[str, Any], folder: Path) -> None:
    """Make every relative path start from the settings file."""
    headquarters = table.get("headquarters")
    places: list[tuple[Any, str]] = [(table, "data")]
    places += [(headquarters, "password_file"), (headquarters, "ca_file")]
    lines = table.get("line")
    for line in lines if isinstance(lines, list) else ():
        devices = line.get("devices") if isinstance(line, dict) else None
        if isinstance(devices, list):
            places += [(device, "key_file") for device in devices]
            badges = [device.get("badges") for device in devices if isinstance(device, dict)]
            places += [(b, "key_file") for some in badges if isinstance(some, list) for b in some]
    for holder, key in places:
        if isinstance(holder, dict) and isinstance(holder.get(key), str):
            holder[key] = str(folder / holder[key])


def check_unchanged(before: BoxSettings, after: BoxSettings) -> None:
    """See that new settings change nothing that only a restart can.

    Raises:
        RemedyError: names what does.
    """
    fixed = ("company", "site", "box", "data", "headquarters", "journal", "alive_s")
    changed = [name for name in fixed if getattr(before, name) != getattr(after, name)]
    if changed:
        raise RemedyError(
            say(
                "{names}: this changes with a restart only; nothing was changed.",
                names=", ".join(changed),
            )
        )
