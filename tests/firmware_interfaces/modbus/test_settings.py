import pytest
from pydantic import ValidationError

from firmware_interfaces.modbus.settings import ModbusLine


def line(*devices: dict[str, object]) -> ModbusLine:
    table = {"family": "modbus", "port": "/dev/a", "devices": devices}
    return ModbusLine.model_validate(table)


def test_as_many_inputs_are_read_as_are_wired() -> None:
    assert line({"name": "d", "contact": 3, "button": 7}).devices[0].inputs_count() == 8
    assert line({"name": "d", "strike": 3}).devices[0].inputs_count() == 1


@pytest.mark.parametrize(
    ("devices", "message"),
    [
        ([{"name": "d"}], "needs a strike"),
        ([{"name": "d", "strike": 0}, {"name": "d", "strike": 1}], "name is given twice"),
        ([{"name": "d", "strike": 0}, {"name": "e", "strike": 0}], "strike is given twice.*1/0"),
        ([{"name": "d", "contact": 64}], "contact"),
    ],
    ids=str,
)
def test_what_is_refused(devices: list[dict[str, object]], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        line(*devices)
