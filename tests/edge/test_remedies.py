"""A sentence about the settings speaks the reader's language."""

from collections.abc import Mapping
from pathlib import Path

import pytest
from pydantic import ValidationError

from agreed.words import language
from edge.config import BoxSettings
from edge.remedies import port_sentence, settings_sentence
from firmware_interfaces import errors

PATH = Path("box.toml")


def sentence(table: Mapping[str, object]) -> str:
    with pytest.raises(ValidationError) as caught:
        BoxSettings.model_validate(table)
    return settings_sentence(PATH, caught.value)


def test_places_are_counted_from_one_and_families_left_out() -> None:
    token = language.set("en")
    table = {
        "company": "a",
        "site": "b",
        "box": "c",
        "data": "d",
        "headquarters": {"url": "mqtt://h"},
        "line": [{"family": "locker_cu16", "port": "/a", "devices": [{"name": "L"}]}],
    }
    assert sentence(table).startswith("box.toml: line[1].devices[1].name may only hold a-z")
    language.reset(token)


def test_chinese_comes_first() -> None:
    assert "company" in sentence({})
    assert "缺少" in sentence({})


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (errors.PortRefusedError("/dev/input/event3", "input"), "to the group input."),
        (errors.PortUngroupedError("/dev/hidraw0", "plugdev"), "plugdev by a udev rule"),
        (errors.PortForbiddenError("/dev/ttyUSB0"), "allow the device there"),
        (errors.PortMissingError("/dev/ttyUSB0", "x"), "nothing answers"),
    ],
)
def test_advice_about_a_port_follows_what_is_wrong_with_it(
    error: errors.PortError, expected: str
) -> None:
    token = language.set("en")
    told = port_sentence(error.port, type(error).__name__, error.group)
    language.reset(token)
    assert error.port in told
    assert expected in told


def test_every_fault_of_a_port_has_its_sentence() -> None:
    for fault in errors.PortError.__subclasses__():
        assert port_sentence("/dev/x", fault.__name__, "g") != "/dev/x"
