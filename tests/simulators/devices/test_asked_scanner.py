from typing import Any

import pytest

from simulators.devices.asked_scanner import AskedScanner
from tests.firmware_interfaces.vectors import vectors


def answers(protocol: str, *asked: bytes, **attributes: Any) -> tuple[AskedScanner, list[str]]:
    scanner, sent = AskedScanner("qr", protocol=protocol), []
    for name, value in attributes.items():
        setattr(scanner, name, value)
    scanner.send = lambda data, _=None: sent.append(data.hex())
    for data in asked:
        for byte in data:
            scanner.hear(bytes([byte]))
    return scanner, sent


@pytest.mark.parametrize("case", vectors("scanner_frames")["gm65"], ids=lambda c: c["hex"])
def test_frames_of_the_manual_are_answered(case: dict[str, Any]) -> None:
    raw = bytes.fromhex(case["hex"])
    scanner, sent = answers("gm65", b"\x7e\xff" + raw)
    assert [data[:12] for data in sent] == ["020000020000" if case["kind"] == 7 else "020000010033"]
    assert answers("gm65", raw[:-1] + b"\x00")[1] == []
    assert answers("gm65", raw, is_silent=True)[1] == []
    if case["kind"] == 8:
        assert scanner.zones == {0x2A: 0x39, 0x2B: 1}


def test_a_trigger_is_counted_with_an_unchecked_frame() -> None:
    scanner, _ = answers("gm65", bytes.fromhex("7e000801000201abcd"))
    assert scanner.triggered_count == 1


def test_newland_settings() -> None:
    asked = bytes.fromhex(vectors("scanner_frames")["newland"][0]["hex"])
    scanner, sent = answers("newland", asked)
    assert scanner.settings == ["SCNMOD3"]
    assert sent == [(b"\x02\x010000@SCNMOD3\x06;\x03").hex()]
    assert answers("newland", asked, unknown={"SCNMOD3"})[1][0].endswith("053b03")
    assert answers("newland", b"\x7e\x02;\x03")[1] == []
