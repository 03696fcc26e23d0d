from pathlib import Path
from typing import Any

import pytest

from agreed.words import RemedyError
from simulators.devices.scenario import KINDS, Act, DeviceTable, Scenario, read_scenario

WIRE: dict[str, Any] = {"link": "a", "devices": [{"kind": "scanner", "name": "desk"}]}
MORE: dict[str, dict[str, Any]] = {
    "gate_reader": {"key": "00" * 15 + "01"},
    "locker_bank": {"compartments": 16},
    "replayed": {"capture": "/dev/null"},
}


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_is_made_and_can_do_what_it_says(kind: str) -> None:
    table = {"kind": kind, "name": "device"} | MORE.get(kind, {})
    device = DeviceTable.model_validate(table).make()
    assert device.name == "device"
    assert all(callable(getattr(device, act)) for act in KINDS[kind][1] | {"reset"})


def test_a_number_stands_in_the_text_of_an_act() -> None:
    act = Act(device="desk", do="read_out", args=("CODE-{n:03}", 5), times=2)
    assert act.arguments(7) == ["CODE-007", 5]


@pytest.mark.parametrize(
    ("table", "why"),
    [
        ({}, "wire"),
        ({"wire": [WIRE | {"link": "../a"}]}, "link"),
        ({"wire": [WIRE | {"devices": [{"kind": "cow", "name": "a"}]}]}, "kind: one of"),
        ({"wire": [WIRE, WIRE | {"link": "b"}]}, "one name"),
        ({"wire": [WIRE], "act": [{"device": "cow", "do": "show"}]}, "no device cow"),
        ({"wire": [WIRE], "act": [{"device": "desk", "do": "show"}]}, "desk can read_out, reset"),
    ],
    ids=str,
)
def test_what_does_not_fit_is_named(table: dict[str, Any], why: str) -> None:
    with pytest.raises(ValueError, match=why):
        Scenario.model_validate(table)


@pytest.mark.parametrize(
    ("device", "why"),
    [({"legs": 4}, "unexpected keyword"), ({"kind": "gate_reader", "key": "xy"}, "hexadecimal")],
    ids=str,
)
def test_a_device_that_cannot_be_made_so_is_named(device: dict[str, Any], why: str) -> None:
    table = DeviceTable.model_validate({"kind": "scanner", "name": "desk"} | device)
    with pytest.raises(ValueError, match=why):
        table.make()


def test_faults_are_those_that_exist() -> None:
    good = Scenario.model_validate({"wire": [WIRE | {"faults": {"doubled_ppm": 5}}]})
    assert good.wire[0].faults_of(3).doubled_ppm == 5
    bad = Scenario.model_validate({"wire": [WIRE | {"faults": {"eaten_ppm": 5}}]})
    with pytest.raises(ValueError, match="eaten_ppm"):
        bad.wire[0].faults_of(3)


@pytest.mark.parametrize("text", ["not toml", "seed = 1"])
def test_a_file_that_is_no_scenario_is_one_sentence(tmp_path: Path, text: str) -> None:
    path = tmp_path / "a.toml"
    with pytest.raises(RemedyError, match=r"a\.toml"):
        read_scenario(path)
    path.write_text(text)
    with pytest.raises(RemedyError, match=r"a\.toml"):
        read_scenario(path)
