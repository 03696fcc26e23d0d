import pytest
from pydantic import ValidationError

from firmware_interfaces.wiring import Wiring, different


@pytest.mark.parametrize(
    "port",
    [
        "/dev/ttyUSB0",
        "/dev/serial/by-id/usb-FTDI_FT232R-if00-port0",
        "socket://192.168.1.20:4001",
        "rfc2217://host:2217?ign_set_control",
        "loop://",
    ],
)
def test_ports_that_are_known(port: str) -> None:
    assert Wiring(port=port).port == port


@pytest.mark.parametrize("port", ["COM3", "ttyUSB0", "socket://host", "http://host:80", "/", ""])
def test_ports_that_are_not(port: str) -> None:
    with pytest.raises(ValidationError, match="port"):
        Wiring(port=port)


def test_settings_do_not_change() -> None:
    wiring = Wiring(port="/dev/a")
    with pytest.raises(ValidationError, match="frozen"):
        wiring.baud = 9_600  # type: ignore[misc]


def test_what_is_shared_is_named() -> None:
    different("name", ["a", "b"])
    with pytest.raises(ValueError, match="address is given twice on one line: 1, 3"):
        different("address", [1, 3, 1, 2, 3])
