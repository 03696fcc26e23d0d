from typing import Any

import pytest
from pydantic import ValidationError

from firmware_interfaces.locker.settings import LockerBank, LockerLine


def line(*devices: dict[str, Any]) -> LockerLine:
    table = {"family": "locker_cu16", "port": "/dev/ttyUSB0", "devices": devices}
    return LockerLine.model_validate(table)


def test_a_bank_of_24_is_two_boards() -> None:
    settings = line({"name": "bank", "address": 2, "compartments": 24})
    assert settings.baud == 19_200
    assert list(settings.devices[0].boards()) == [2, 3]


@pytest.mark.parametrize(("compartments", "count"), [(1, 1), (16, 1), (17, 2), (256, 16)])
def test_how_many_boards_a_bank_needs(compartments: int, count: int) -> None:
    assert len(LockerBank(name="bank", compartments=compartments).boards()) == count


def test_banks_do_not_share_boards() -> None:
    with pytest.raises(ValidationError, match=r"address \(board\) is given twice.*1"):
        line({"name": "a", "compartments": 24}, {"name": "b", "address": 1})


def test_a_bank_ends_at_the_last_board() -> None:
    with pytest.raises(ValidationError, match="past board 15"):
        line({"name": "a", "address": 15, "compartments": 17})


def test_each_kind_has_the_baud_of_its_factory() -> None:
    table = {"family": "locker_xor", "port": "/dev/a", "devices": [{"name": "a", "address": 1}]}
    assert LockerLine.model_validate(table).baud == 9_600
    assert LockerLine.model_validate(table | {"baud": 4_800}).baud == 4_800
    with pytest.raises(ValidationError):
        LockerLine.model_validate([])


def test_boards_of_some_kinds_begin_at_one() -> None:
    table = {"family": "locker_xor", "port": "/dev/a", "devices": [{"name": "a"}]}
    with pytest.raises(ValidationError, match="begin at 1"):
        LockerLine.model_validate(table)


def test_a_line_is_not_overloaded_with_boards() -> None:
    banks = [
        {"name": f"b{n}", "address": 8 * n, "compartments": 192, "locks_per_board": 24}
        for n in range(3)
    ]
    table = {"family": "locker_wkly", "port": "/dev/a", "devices": banks}
    with pytest.raises(ValidationError, match="at most 16 boards"):
        LockerLine.model_validate(table)
