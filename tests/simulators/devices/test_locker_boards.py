from typing import Any

import pytest

from simulators.devices.locker_boards import EVERY_LOCK, TONGUES, Request
from tests.firmware_interfaces.vectors import vectors


@pytest.mark.parametrize("case", vectors("locker_boards")["requests"], ids=lambda c: c["hex"])
def test_requests_of_other_drivers_are_understood(case: dict[str, Any]) -> None:
    tongue = TONGUES[case["kind"]]
    raw = bytes.fromhex(case["hex"])
    lock = case.get("lock", EVERY_LOCK)
    assert tongue.understand(raw) == Request(case["act"], case["board"], lock)
    assert len(raw) in tongue.request_bytes


@pytest.mark.parametrize("kind", TONGUES)
def test_garbage_is_not_understood(kind: str) -> None:
    tongue = TONGUES[kind]
    assert tongue.understand(b"\xff" * tongue.request_bytes[-1]) is None
