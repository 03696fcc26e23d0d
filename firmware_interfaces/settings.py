"""The `[[line]]` tables of box.toml, and the machine that each family makes of one."""

from collections.abc import Mapping
from typing import Annotated, Any, assert_never

from pydantic import Field, TypeAdapter

from firmware_interfaces.ble.settings import BleLine
from firmware_interfaces.contacts.settings import ContactsLine
from firmware_interfaces.driver import Line, LineMachine
from firmware_interfaces.locker.settings import LockerLine
from firmware_interfaces.modbus.settings import ModbusLine
from firmware_interfaces.osdp.settings import OsdpLine
from firmware_interfaces.scanner.settings import ScannerLine
from firmware_interfaces.uhppote.settings import UhppoteLine
from firmware_interfaces.wiegand.settings import WiegandLine

# ruff: noqa: PLC0415 - machines are imported when a line needs them: a family that a box does not
# have costs it no memory.

LineSettings = Annotated[
    OsdpLine
    | LockerLine
    | ScannerLine
    | WiegandLine
    | ModbusLine
    | ContactsLine
    | UhppoteLine
    | BleLine,
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
        KeyFileError: the key file of a reader or badge cannot be used.
    """
    match settings:
        case OsdpLine():
            return _osdp_machine(settings, entropy)
        case ScannerLine():
            return _scanner_machine(settings)
        case BleLine():
            return _ble_machine(settings)
        case ModbusLine() | ContactsLine():
            return _doors_machine(settings)
        case LockerLine():
            from firmware_interfaces.locker.machine import LockerMachine

            return LockerMachine(settings)
        case WiegandLine() | UhppoteLine():
            return _access_machine(settings)
        case _:
            assert_never(settings)


def _osdp_machine(settings: OsdpLine, entropy: bytes) -> LineMachine:
    if settings.mode == "listen":
        from firmware_interfaces.osdp.listener import OsdpListener

        return OsdpListener(settings)
    from firmware_interfaces.osdp.machine import OsdpMachine

    keys = [device.read_keys() for device in settings.devices]
    return OsdpMachine(settings, keys, entropy)


def _scanner_machine(settings: ScannerLine) -> LineMachine:
    match settings.devices[0].protocol:
        case "gm65" | "newland":
            from firmware_interfaces.scanner.asked import AskedScannerMachine

            return AskedScannerMachine(settings)
        case "ssi":
            from firmware_interfaces.scanner.ssi import SsiMachine

            return SsiMachine(settings)
        case "text" | "wedge":
            from firmware_interfaces.scanner.machine import ScannerMachine

            return ScannerMachine(settings)


def _access_machine(settings: WiegandLine | UhppoteLine) -> LineMachine:
    if isinstance(settings, UhppoteLine):
        from firmware_interfaces.uhppote.machine import UhppoteMachine

        return UhppoteMachine(settings)
    from firmware_interfaces.wiegand.machine import WiegandMachine

    return WiegandMachine(settings)


def _doors_machine(settings: ModbusLine | ContactsLine) -> LineMachine:
    if isinstance(settings, ContactsLine):
        from firmware_interfaces.contacts.machine import ContactsMachine

        return ContactsMachine(settings)
    from firmware_interfaces.modbus.machine import ModbusMachine

    return ModbusMachine(settings)


def _ble_machine(settings: BleLine) -> LineMachine:
    from firmware_interfaces.ble.machine import BleMachine

    (radio,) = settings.devices
    return BleMachine(settings, [badge.read_key() for badge in radio.badges])


def make_line(settings: LineSettings, entropy: bytes) -> Line:
    """Make a line ready for `driver.drive`; arguments and errors as `line_machine`."""
    return Line(settings, line_machine(settings, entropy))


def device_names(settings: LineSettings) -> list[str]:
    """Name the devices of one line, in the order of its table."""
    return [device.name for device in settings.devices]
