import asyncio
from collections.abc import Callable

import pytest

from firmware_interfaces.observations import Seen
from simulators.devices.scanner import Answered, Scanner


def scan(answer: bytes, *, spoiled: bool = False) -> tuple[Scanner, Answered]:
    scanner = Scanner("qr")

    def send(data: bytes, crossed: Callable[[bytes], None] | None = None) -> None:
        assert data == b"PARCEL-1\r"
        if crossed is not None:
            crossed(data[1:] if spoiled else data)
        for index in range(len(answer)):
            scanner.hear(answer[index : index + 1])

    scanner.send = send
    return scanner, asyncio.run(scanner.scan("PARCEL-1", wait_s=0.05))


@pytest.mark.parametrize(
    ("answer", "answered"),
    [
        (b"\x1b7,", Answered.GOOD),
        (b"noise\x1b8,", Answered.BAD),
        (b"", Answered.NOTHING),
        (b"\x1b", Answered.NOTHING),
    ],
)
def test_what_the_beeper_says(answer: bytes, answered: Answered) -> None:
    assert scan(answer)[1] is answered


def test_only_what_crossed_whole_is_emitted() -> None:
    assert [(e.seen, e.value) for e in scan(b"")[0].emitted] == [(Seen.CODE, "PARCEL-1")]
    assert scan(b"", spoiled=True)[0].emitted == []
