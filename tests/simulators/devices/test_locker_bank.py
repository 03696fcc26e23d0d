import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from firmware_interfaces.observations import Seen
from simulators.devices.locker_bank import LockerBank
from tests.firmware_interfaces.vectors import vectors

ASK = {0: "0200300335", 1: "0210300345"}


class Wired:
    """A bank whose answers are kept."""

    def __init__(self, **options: Any) -> None:
        self.bank = LockerBank("bank", **options)
        self.bank.send = self._send
        self.is_noisy = False
        self.sent: list[str] = []

    def _send(self, data: bytes, crossed: Callable[[bytes], None] | None = None) -> None:
        self.sent.append(data.hex())
        if crossed is not None:
            crossed(data[1:] if self.is_noisy else data)

    def ask(self, request: str) -> list[str]:
        self.sent.clear()
        self.bank.hear(bytes.fromhex(request))
        return self.sent


def test_it_answers_other_drivers_requests() -> None:
    wired = Wired(compartments=16)
    for case in vectors("kr_cu16")["ask_status"]:
        assert wired.ask(case["hex"]) == ["020035ffff00000338"]
    for case in vectors("kr_cu16")["open_lock"]:
        assert wired.ask(case["hex"]) == []
        assert wired.bank.is_open(case["lock"] + 1)
    assert wired.ask(ASK[0]) == ["020035fe7f000003b7"]


def test_the_second_board_begins_at_compartment_17() -> None:
    wired = Wired(compartments=24)
    wired.bank.force(17)
    assert wired.ask(ASK[1]) == ["021035feff00000347"]
    assert Wired(compartments=16).ask(ASK[1]) == []


def test_the_other_polarity() -> None:
    wired = Wired(compartments=16, hook_when_locked=0)
    wired.bank.force(1)
    assert wired.ask(ASK[0]) == ["020035010000000" + "33b"]


def test_a_jammed_lock_and_a_silent_board() -> None:
    wired = Wired(compartments=16)
    wired.bank.jam(1)
    wired.ask("0200310336")
    assert not wired.bank.is_open(1)
    wired.bank.jam(1, is_jammed=False)
    wired.ask("0200310336")
    assert wired.bank.is_open(1)
    wired.bank.silence(0)
    assert wired.ask(ASK[0]) == []


def test_requests_are_found_in_noise_and_wrong_sums_are_not_obeyed() -> None:
    wired = Wired(compartments=16)
    assert len(wired.ask("ff02" + ASK[0] + "0200")) == 1
    wired.ask("0200310337")
    assert not wired.bank.is_open(1)


def test_a_move_is_emitted_when_a_whole_status_tells_it() -> None:
    wired = Wired(compartments=16)
    wired.ask(ASK[0])
    wired.bank.force(2)
    assert wired.bank.emitted == []
    wired.is_noisy = True
    wired.ask(ASK[0])
    assert wired.bank.emitted == []
    wired.is_noisy = False
    wired.ask(ASK[0])
    wired.ask(ASK[0])
    assert [wired.bank.answers_about(part) for part in (2, 17)] == [3, 0]
    wired.bank.close(2)
    wired.ask(ASK[0])
    assert [(e.seen, e.part) for e in wired.bank.emitted] == [
        (Seen.DOOR_OPENED, 2),
        (Seen.DOOR_CLOSED, 2),
    ]


@pytest.mark.parametrize("is_told", [True, False])
def test_a_person_waits_for_the_door(*, is_told: bool) -> None:
    async def scene() -> None:
        wired = Wired(compartments=16)
        waiting = asyncio.create_task(wired.bank.opened(1, wait_s=5.0 if is_told else 0.05))
        await asyncio.sleep(0)
        if is_told:
            wired.ask("0200310336")
        assert await waiting is is_told

    asyncio.run(scene())


def test_a_board_that_speaks_unasked_says_each_move() -> None:
    wired = Wired(compartments=24, kind="locker_wkly")
    wired.bank.force(2)
    wired.bank.close(2)
    wired.bank.close(2)
    wired.bank.silence(0)
    wired.bank.force(3)
    assert wired.sent == ["574b4c590a0085020084", "574b4c590a0085020185"]


def test_one_lock_is_asked_about_where_boards_do_so() -> None:
    wired = Wired(compartments=16, address=1, kind="locker_winnsen")
    wired.bank.force(3)
    assert wired.ask("900612010303") == ["90079201010303"]
    assert wired.ask("900612010203") == ["90079201000203"]
    assert [(e.seen, e.part) for e in wired.bank.emitted] == [(Seen.DOOR_OPENED, 3)]
