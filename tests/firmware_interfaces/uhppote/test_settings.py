import pytest
from pydantic import ValidationError

from firmware_interfaces.uhppote.settings import UhppoteLine


def line(*devices: dict[str, object]) -> UhppoteLine:
    table = {"family": "uhppote", "port": "udp://192.168.1.50:60000", "serial": 405_419_896}
    return UhppoteLine.model_validate(table | {"devices": devices})


def test_a_board_has_up_to_four_doors() -> None:
    assert line({"name": "a", "door": 4}).devices[0].door == 4


@pytest.mark.parametrize(
    ("devices", "message"),
    [
        ([{"name": "a", "door": 5}], "door"),
        ([{"name": "a", "door": 1}, {"name": "b", "door": 1}], "door is given twice"),
        ([{"name": "a", "door": 1}, {"name": "a", "door": 2}], "name is given twice"),
    ],
    ids=str,
)
def test_what_is_refused(devices: list[dict[str, object]], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        line(*devices)
