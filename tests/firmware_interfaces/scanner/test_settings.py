import pytest
from pydantic import ValidationError

from firmware_interfaces.scanner.settings import ScannerLine


def line(**device: object) -> ScannerLine:
    table = {"family": "scanner", "port": "/dev/ttyUSB0", "devices": [{"name": "qr"} | device]}
    return ScannerLine.model_validate(table)


def test_factory_state_needs_no_setting() -> None:
    settings = line()
    assert settings.baud == 9_600
    assert settings.devices[0].ends == "cr_lf"


def test_silence_must_have_a_length() -> None:
    with pytest.raises(ValidationError, match="idle_ms above 0"):
        line(ends="silence", idle_ms=0)


def test_a_line_has_one_scanner() -> None:
    table = {"family": "scanner", "port": "/dev/a", "devices": [{"name": "a"}, {"name": "b"}]}
    with pytest.raises(ValidationError, match="devices"):
        ScannerLine.model_validate(table)


@pytest.mark.parametrize(
    ("device", "message"),
    [
        ({"zones": {"0003": 1}}, "zones need protocol"),
        ({"commands": ["SCNMOD3"]}, "commands need protocol"),
        ({"protocol": "ssi", "idle_ms": 0}, "idle_ms above 0"),
        ({"protocol": "gm65", "zones": {"3": 1}}, "zones"),
        ({"protocol": "newland", "commands": ["SCN;MOD"]}, "commands"),
    ],
    ids=str,
)
def test_settings_that_do_not_fit_their_protocol(device: dict[str, object], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        line(**device)


@pytest.mark.parametrize(
    ("device", "trusted"),
    [
        ({}, "checked"),
        ({"protocol": "gm65"}, "checked"),
        ({"protocol": "ssi"}, "any"),
        ({"protocol": "wedge"}, "any"),
        ({"protocol": "ssi", "codes": "checked"}, "checked"),
        ({"codes": "twice"}, "twice"),
    ],
    ids=str,
)
def test_a_wire_without_a_check_wants_codes_with_one(
    device: dict[str, object], trusted: str
) -> None:
    assert line(**device).devices[0].trusted == trusted
