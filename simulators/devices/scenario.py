"""A small language for simulated devices: wires, their faults, and who does what when."""

import tomllib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, Any, Final, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from agreed.words import RemedyError, say
from agreed.wrong_fields import explain
from simulators.devices.asked_scanner import AskedScanner
from simulators.devices.door_board import DoorBoard
from simulators.devices.far_device import FarDevice
from simulators.devices.faults import Faults
from simulators.devices.foreign_line import ForeignLine
from simulators.devices.gate_reader import GateReader, PlainTextReader
from simulators.devices.locker_bank import LockerBank
from simulators.devices.replayed_device import ReplayedDevice
from simulators.devices.scanner import Scanner
from simulators.devices.ssi_scanner import SsiScanner
from simulators.devices.wedge_scanner import WedgeScanner
from simulators.devices.wiegand_reader import WiegandReader

WIRES_COUNT_MAX: Final = 32
DEVICES_COUNT_MAX: Final = 16
ACTS_COUNT_MAX: Final = 10_000
TIMES_COUNT_MAX: Final = 1_000_000
SCENARIO_BYTES_MAX: Final = 4 * 1024 * 1024


def _reader(make: Callable[..., FarDevice]) -> Callable[..., FarDevice]:
    def made(name: str, *, key: str | None = None, **fields: Any) -> FarDevice:
        return make(name, key=bytes.fromhex(key) if key else None, **fields)

    return made


def _replayed(name: str, *, capture: str) -> FarDevice:
    return ReplayedDevice(name, Path(capture).read_text("utf-8").splitlines())


KINDS: Final[Mapping[str, tuple[Callable[..., FarDevice], frozenset[str]]]] = {
    "gate_reader": (_reader(GateReader), frozenset({"show", "type", "tamper", "fail_power"})),
    "plain_text_reader": (_reader(PlainTextReader), frozenset({"show"})),
    "locker_bank": (LockerBank, frozenset({"close", "force", "jam", "silence"})),
    "scanner": (Scanner, frozenset({"read_out"})),
    "asked_scanner": (AskedScanner, frozenset({"read_out"})),
    "ssi_scanner": (SsiScanner, frozenset({"read_out"})),
    "wedge_scanner": (WedgeScanner, frozenset({"read_out"})),
    "wiegand_reader": (WiegandReader, frozenset({"show", "press"})),
    "door_board": (DoorBoard, frozenset({"swing"})),
    "foreign_line": (ForeignLine, frozenset({"show", "type"})),
    "replayed": (_replayed, frozenset[str]()),
}
"""Kinds of devices: what makes one, and what can be done with it; `reset` with each."""


class _Table(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class DeviceTable(BaseModel):
    """One device; further fields are arguments of its kind.

    Attributes:
        kind: one of KINDS.
        name: as in the box's settings.
    """

    model_config = ConfigDict(frozen=True, extra="allow")

    kind: str
    name: str

    @model_validator(mode="after")
    def _known(self) -> Self:
        if self.kind not in KINDS:
            raise ValueError(f"kind: one of {', '.join(sorted(KINDS))}")
        return self

    def make(self) -> FarDevice:
        """Make the device.

        Raises:
            ValueError: a field is none of its kind, or wrong; so does OSError for a capture.
        """
        make, _ = KINDS[self.kind]
        try:
            return make(self.name, **(self.model_extra or {}))
        except TypeError as error:
            raise ValueError(f"device {self.name}: {error}") from error


class WireTable(_Table):
    """One wire.

    Attributes:
        link: file name of its port in the folder.
        baud: paces the bytes; left out, they fly.
        faults: fields of `Faults`, its seed aside.
        devices: who is on it.
    """

    link: Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]{1,64}$")]
    baud: Annotated[int, Field(ge=300, le=921_600)] | None = None
    faults: dict[str, Annotated[int, Field(ge=0, le=1_000_000)]] = {}
    devices: Annotated[tuple[DeviceTable, ...], Field(min_length=1, max_length=DEVICES_COUNT_MAX)]

    def faults_of(self, seed: int) -> Faults:
        """Give the faults of this wire; wires of one scenario differ in their noise."""
        try:
            return Faults(seed=seed, **self.faults)
        except TypeError as error:
            raise ValueError(f"wire {self.link}: faults: {error}") from error


class Act(_Table):
    """One thing that is done.

    Attributes:
        at_ms: when, after the start.
        device: with which.
        do: what, by name.
        args: its arguments in order; `{n}` in a text is the number of the time, from 0.
        options: its arguments by name.
        times: how often.
        every_ms: how far apart.
    """

    at_ms: Annotated[int, Field(ge=0)] = 0
    device: str
    do: str
    args: tuple[str | int, ...] = ()
    options: dict[str, str | int | bool] = {}
    times: Annotated[int, Field(ge=1, le=TIMES_COUNT_MAX)] = 1
    every_ms: Annotated[int, Field(ge=1)] = 1_000

    def arguments(self, number: int) -> list[str | int]:
        """The arguments of one time."""
        return [arg.format(n=number) if isinstance(arg, str) else arg for arg in self.args]


class Scenario(_Table):
    """A whole file.

    Attributes:
        seed: of every fault.
        for_ms: when it ends; left out, never.
        wire: the wires.
        act: what is done.
    """

    seed: int = 0
    for_ms: Annotated[int, Field(ge=1)] | None = None
    wire: Annotated[tuple[WireTable, ...], Field(min_length=1, max_length=WIRES_COUNT_MAX)]
    act: Annotated[tuple[Act, ...], Field(max_length=ACTS_COUNT_MAX)] = ()

    @model_validator(mode="after")
    def _acts_fit(self) -> Self:
        kinds = {device.name: device.kind for wire in self.wire for device in wire.devices}
        if len(kinds) != sum(len(wire.devices) for wire in self.wire):
            raise ValueError("two devices have one name")
        for act in self.act:
            if act.device not in kinds:
                raise ValueError(f"act: no device {act.device}")
            can = KINDS[kinds[act.device]][1] | {"reset"}
            if act.do not in can:
                raise ValueError(f"act: {act.device} can {', '.join(sorted(can))}, not {act.do}")
        return self


def read_scenario(path: Path) -> Scenario:
    """Read a scenario.

    Raises:
        RemedyError: it is missing or wrong; names the place.
    """
    try:
        with path.open("rb") as file:
            table = tomllib.loads(file.read(SCENARIO_BYTES_MAX).decode())
        return Scenario.model_validate(table)
    except OSError as error:
        raise _remedy(path, error.strerror or str(error)) from None
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        _, problem = explain(first, place, say("the whole file"))
        raise RemedyError(f"{path}: {problem}") from None
    except (ValueError, RecursionError) as error:
        raise _remedy(path, str(error)) from None


def _remedy(path: Path, why: str) -> RemedyError:
    return RemedyError(
        say("{path} is no scenario ({why}); correct that place.", path=path, why=why)
    )
