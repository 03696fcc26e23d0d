import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any, get_args

import pytest
from pydantic import BaseModel, ValidationError

from firmware_interfaces.locker.machine import LockerMachine
from firmware_interfaces.modbus.machine import ModbusMachine
from firmware_interfaces.osdp.listener import OsdpListener
from firmware_interfaces.osdp.machine import OsdpMachine
from firmware_interfaces.scanner.asked import AskedScannerMachine
from firmware_interfaces.scanner.machine import ScannerMachine
from firmware_interfaces.scanner.ssi import SsiMachine
from firmware_interfaces.settings import (
    LineSettings,
    device_names,
    line_machine,
    make_line,
    read_line_settings,
)
from firmware_interfaces.uhppote.machine import UhppoteMachine
from firmware_interfaces.wiegand.machine import WiegandMachine
from firmware_interfaces.wiring import Wiring

KEY = "0102030405060708090a0b0c0d0e0f10"
TABLES: list[tuple[dict[str, Any], type]] = [
    ({"family": "osdp", "devices": [{"name": "d", "address": 0, "key": KEY}]}, OsdpMachine),
    (
        {"family": "osdp", "mode": "listen", "devices": [{"name": "d", "address": 0}]},
        OsdpListener,
    ),
    ({"family": "locker_cu16", "devices": [{"name": "d"}]}, LockerMachine),
    ({"family": "scanner", "devices": [{"name": "d"}]}, ScannerMachine),
    ({"family": "scanner", "devices": [{"name": "d", "protocol": "wedge"}]}, ScannerMachine),
    ({"family": "scanner", "devices": [{"name": "d", "protocol": "gm65"}]}, AskedScannerMachine),
    ({"family": "scanner", "devices": [{"name": "d", "protocol": "newland"}]}, AskedScannerMachine),
    ({"family": "scanner", "devices": [{"name": "d", "protocol": "ssi"}]}, SsiMachine),
    ({"family": "modbus", "devices": [{"name": "d", "strike": 0}]}, ModbusMachine),
    (
        {"family": "uhppote", "serial": 1, "devices": [{"name": "d", "door": 1}]},
        UhppoteMachine,
    ),
    ({"family": "wiegand", "devices": [{"name": "d"}]}, WiegandMachine),
]


@pytest.mark.parametrize(("table", "machine"), TABLES, ids=lambda value: str(value)[:25])
def test_every_family_has_its_machine(table: dict[str, Any], machine: type) -> None:
    settings = read_line_settings({**table, "port": "/dev/ttyUSB0"})
    assert isinstance(line_machine(settings, bytes(16)), machine)
    assert device_names(settings) == ["d"]
    assert make_line(settings, bytes(16)).wiring is settings


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"family": "telepathy"}, "family"),
        ({"port": "COM3"}, "port"),
        ({"baud": 1}, "baud"),
        ({"colour": "red"}, "colour"),
        ({"devices": []}, "devices"),
        ({"devices": [{"name": "Gate 1"}]}, "name"),
        ({"devices": [{"name": "d", "compartments": 0}]}, "compartments"),
    ],
    ids=str,
)
def test_an_error_names_the_field(change: dict[str, Any], message: str) -> None:
    table = {"family": "locker_cu16", "port": "/dev/a", "devices": [{"name": "d"}]} | change
    with pytest.raises(ValidationError, match=message):
        read_line_settings(table)


def test_a_family_that_no_line_has_is_not_loaded() -> None:
    program = "import sys, edge.agent, edge.__main__; print(*sys.modules)"
    command = [sys.executable, "-c", program]
    loaded = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
    packages = {"bleak", "dbus_fast", "gpiod", "osdp", "pymodbus", "uhppoted"}
    assert packages & {name.partition(".")[0] for name in loaded} == set()
    assert not [name for name in loaded if name.partition(".")[0] in {"cloud", "sqlalchemy"}]


PAGE = Path("docs/devices.md").read_text("utf-8")
LINES = get_args(get_args(LineSettings)[0])


def sections() -> dict[str, str]:
    """What the page says about each family, by the family's name or the beginning of it."""
    found = re.findall(r"^## [^\n]*?: (`[^\n]+`)\n(.*?)(?=^## )", PAGE, re.MULTILINE | re.DOTALL)
    return {name: text for names, text in found for name in re.findall(r"`(\w+)`", names)}


def devices_of(line: type[BaseModel]) -> type[BaseModel]:
    found: type[BaseModel] = get_args(line.model_fields["devices"].annotation)[0]
    return found


def families_of(line: type[BaseModel]) -> tuple[str, ...]:
    return get_args(line.model_fields["family"].annotation)


@pytest.mark.parametrize("line", LINES, ids=lambda line: line.__name__)
def test_every_setting_of_a_family_is_on_its_page(line: type[BaseModel]) -> None:
    shared = set(Wiring.model_fields) | {"family", "devices", "name"}
    fields = (set(line.model_fields) | set(devices_of(line).model_fields)) - shared
    for family in families_of(line):
        text = sections()[family]
        assert {one for one in fields if not re.search(rf"\b{one}\b", text)} == set(), family


@pytest.mark.parametrize("line", LINES, ids=lambda line: line.__name__)
def test_a_page_says_how_to_wire_what_each_fault_looks_like_and_how_to_try_it(
    line: type[BaseModel],
) -> None:
    text = sections()[families_of(line)[0]]
    assert re.search(r"^\| wire \|", text, re.MULTILINE)
    assert "| what you see | what it is | what to do |" in text
    assert re.search(r"^\*\*Try it\.\*\* ", text, re.MULTILINE)


@pytest.mark.parametrize("text", re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL))
def test_every_table_on_the_page_is_valid(text: str) -> None:
    for table in tomllib.loads(text).get("line", ()):
        read_line_settings(table)
