import tomllib
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware_interfaces.discovery.questions import Question, identify, questions
from firmware_interfaces.locker.kinds import KINDS
from firmware_interfaces.settings import read_line_settings
from simulators.devices.asked_scanner import AskedScanner
from simulators.devices.door_board import DoorBoard
from simulators.devices.far_device import FarDevice
from simulators.devices.gate_reader import GateReader
from simulators.devices.locker_bank import LockerBank
from simulators.devices.ssi_scanner import SsiScanner
from tests.firmware_interfaces.worlds import KEY

DEVICES: dict[tuple[str, int | None], Callable[[], FarDevice]] = {
    ("osdp", 3): lambda: GateReader("d", key=KEY, address=3),
    ("modbus", 5): lambda: DoorBoard("d", unit=5),
    **{
        (kind, KINDS[kind].numbers[1]): (
            lambda kind=kind: LockerBank(  # type: ignore[misc]
                "d",
                compartments=KINDS[kind].locks_count,
                address=KINDS[kind].numbers[1],
                kind=kind,
            )
        )
        for kind in KINDS
    },
}


def answered(device: FarDevice, question: Question) -> bool:
    heard: list[bytes] = []
    device.send = lambda data, _=None: heard.append(data)
    device.hear(question.request)
    return question.is_answer(b"\x00" + b"".join(heard))


@pytest.mark.parametrize(
    ("who", "make"), DEVICES.items(), ids=[f"{family}-{number}" for family, number in DEVICES]
)
def test_each_family_answers_its_own_question_and_no_other(
    who: tuple[str, int | None], make: Callable[[], FarDevice]
) -> None:
    found = {(q.family, q.address) for q in questions() if answered(make(), q)}
    assert found == {who}


@pytest.mark.parametrize("make", [lambda: AskedScanner("d"), lambda: SsiScanner("d")])
def test_scanners_are_told_apart(make: Callable[[], FarDevice]) -> None:
    found = {q.extra for q in questions() if answered(make(), q)}
    assert len(found) == 1


def test_a_reader_is_asked_without_harm() -> None:
    assert identify(0).hex() == "ff53000900046100c066"  # the first frame of tests/vectors/osdp.json


@pytest.mark.parametrize("question", questions(1), ids=lambda q: f"{q.family} {q.baud}")
def test_what_is_proposed_can_be_read(question: Question) -> None:
    table = tomllib.loads(question.table("/dev/ttyUSB0", "found-1"))
    settings = read_line_settings(table["line"][0])
    assert settings.baud == question.baud


@given(st.binary(max_size=200), st.data())
def test_hostile_answers_never_raise(heard: bytes, draw: st.DataObject) -> None:
    question: Any = draw.draw(st.sampled_from(questions(1)))
    question.is_answer(heard)
