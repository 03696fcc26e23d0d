"""The `[[line]]` tables of box.toml, and the machine that each family makes of one."""

from collections.abc import Mapping
from typing import Annotated, Any, assert_never

from pydantic import Field, TypeAdapter

from firmware_interfaces.driver import Line, LineMachine
from firmware_interfaces.locker.machine import LockerMachine
from firmware_interfaces.locker.settings import LockerLine
from firmware_interfaces.modbus.machine import ModbusMachine
from firmware_interfaces.modbus.settings import ModbusLine
from firmware_interfaces.osdp.listener import OsdpListener
from firmware_interfaces.osdp.machine import OsdpMachine
from firmware_interfaces.osdp.settings import OsdpLine
from firmware_interfaces.scanner.asked import AskedScannerMachine
from firmware_interfaces.scanner.machine import ScannerMachine
from firmware_interfaces.scanner.settings import ScannerLine
from firmware_interfaces.scanner.ssi import SsiMachine
from firmware_interfaces.uhppote.machine import UhppoteMachine
from firmware_interfaces.uhppote.settings import UhppoteLine
from firmware_interfaces.wiegand.machine import WiegandMachine
from firmware_interfaces.wiegand.settings import WiegandLine

LineSettings = Annotated[
    OsdpLine | LockerLine | ScannerLine | WiegandLine | ModbusLine | UhppoteLine,
    Field(discriminator="family"),
]

_LINE: TypeAdapter[LineSettings] = TypeAdapter(LineSettings)


def read_line_settings(table: Mapping[str, Any]) -> LineSettings:
    """Check one `[[line]]` table.

    Raises:
        pydantic.ValidationError: names every field that is wrong.
    """
    return _LINE.validate_python(table)


def line_machine(settings: LineSettings, entropy: bytes) -> LineMachine:
    """Make the machine of one line.

    Args:
        settings: a checked table.
        entropy: 16 random bytes, new at every start; the nonces of secure channels need them.

    Raises:
        KeyFileError: a reader's key file cannot be used.
    """
    match settings:
        case OsdpLine():
            return _osdp_machine(settings, entropy)
        case LockerLine():
            return LockerMachine(settings)
        case ScannerLine():
            return _scanner_machine(settings)
        case WiegandLine():
            return WiegandMachine(settings)
        case ModbusLine():
            return ModbusMachine(settings)
        case UhppoteLine():
            return UhppoteMachine(settings)
        case _:
            assert_never(settings)


def _osdp_machine(settings: OsdpLine, entropy: bytes) -> LineMachine:
    if settings.mode == "listen":
        return OsdpListener(settings)
    keys = [device.read_keys() for device in settings.devices]
    return OsdpMachine(settings, keys, entropy)


def _scanner_machine(settings: ScannerLine) -> LineMachine:
    match settings.devices[0].protocol:
        case "gm65" | "newland":
            return AskedScannerMachine(settings)
        case "ssi":
            return SsiMachine(settings)
        case "text" | "wedge":
            return ScannerMachine(settings)


def make_line(settings: LineSettings, entropy: bytes) -> Line:
    """Make a line ready for `driver.drive`; arguments and errors as `line_machine`."""
    return Line(settings, line_machine(settings, entropy))


def device_names(settings: LineSettings) -> list[str]:
    """Name the devices of one line, in the order of its table."""
    return [device.name for device in settings.devices]
