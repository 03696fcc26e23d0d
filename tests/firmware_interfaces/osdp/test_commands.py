"""Each command is what the standard's fields say, and a reader that has the means obeys it."""

from typing import Any

import osdp_sys  # type: ignore[import-not-found]  # a C module without stubs
import pytest

from firmware_interfaces.osdp import commands
from tests.firmware_interfaces.osdp.pairs import Pair

CASES = [
    (commands.output(1, 3_000), {"output_no": 1, "control_code": 5, "timer_count": 30}),
    (commands.led(commands.RED, 2_000), {"on_color": commands.RED, "timer_count": 20}),
    (commands.buzzer(2), {"rep_count": 2, "control_code": 2}),
    (commands.text("PASS", 3_000), {"data": "PASS", "temp_time": 3}),
    (commands.keyset(bytes(range(16))), {"type": 1, "data": bytes(range(16))}),
]


@pytest.mark.parametrize(("command", "wanted"), CASES, ids=lambda case: str(case.get("command")))
def test_a_reader_hears_what_it_is_told(command: dict[str, Any], wanted: dict[str, Any]) -> None:
    pair = Pair()
    assert pair.until(pair.is_online)
    assert pair.panel.submit(0, command)
    assert pair.until(lambda: bool(pair.panel.completions))
    (heard,) = (told.command for told in pair.readers[0].told)
    assert wanted.items() <= heard.items()


def test_a_text_is_shown_for_a_second_at_least() -> None:
    assert commands.text("PASS", 100)["temp_time"] == 1


def test_what_ends_a_session_where_it_is_missing_has_a_capability() -> None:
    assert set(commands.NEEDED) == {
        osdp_sys.CMD_OUTPUT,
        osdp_sys.CMD_LED,
        osdp_sys.CMD_BUZZER,
        osdp_sys.CMD_TEXT,
    }
