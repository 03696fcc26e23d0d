import inspect

import pytest

from firmware_interfaces import errors

CLASSES = [
    c for _, c in inspect.getmembers(errors, inspect.isclass) if c.__module__ == errors.__name__
]


@pytest.mark.parametrize("error", CLASSES)
def test_the_tree_is_drawn_as_it_is(error: type[errors.DeviceError]) -> None:
    drawing = errors.__doc__ or ""
    (line,) = [line for line in drawing.splitlines() if error.__name__ in line]
    if error not in {errors.DeviceError, errors.PortError}:
        assert ("no retry" not in line) is error.retry


def test_a_port_error_names_its_port() -> None:
    error = errors.PortMissingError("/dev/ttyUSB0", "not there")
    assert str(error) == "/dev/ttyUSB0: not there"
    assert error.port == "/dev/ttyUSB0"


def test_who_may_open_it_is_named_by_group() -> None:
    error = errors.PortRefusedError("/dev/input/event3", "input")
    assert (error.group, "group input" in str(error)) == ("input", True)
