"""What a reader is told, as libosdp's control panel takes it.

Source: IEC 60839-11-5, osdp_OUT, osdp_LED, osdp_BUZ, osdp_TEXT and osdp_KEYSET.
"""

from typing import Any, Final

import osdp_sys  # type: ignore[import-not-found]  # a C module without stubs

MS_PER_COUNT: Final = 100  # OSDP counts time in tenths of a second
OUTPUT_ON_FOR_A_WHILE: Final = 5
LED_SET_TEMPORARILY: Final = 2
BUZZER_DEFAULT_TONE: Final = 2
TEXT_TEMPORARILY: Final = 3
TEXT_LENGTH_MAX: Final = 32
KEYSET_SCBK: Final = 1

GREEN: Final = osdp_sys.LED_COLOR_GREEN
RED: Final = osdp_sys.LED_COLOR_RED

# What a reader must have for it, by the command.
NEEDED: Final = {
    osdp_sys.CMD_OUTPUT: osdp_sys.CAP_OUTPUT_CONTROL,
    osdp_sys.CMD_LED: osdp_sys.CAP_READER_LED_CONTROL,
    osdp_sys.CMD_BUZZER: osdp_sys.CAP_READER_AUDIBLE_OUTPUT,
    osdp_sys.CMD_TEXT: osdp_sys.CAP_READER_TEXT_OUTPUT,
}


def output(number: int, for_ms: int) -> dict[str, Any]:
    """Drive an output for a while."""
    return {
        "command": osdp_sys.CMD_OUTPUT,
        "output_no": number,
        "control_code": OUTPUT_ON_FOR_A_WHILE,
        "timer_count": for_ms // MS_PER_COUNT,
    }


def led(color: int, for_ms: int) -> dict[str, Any]:
    """Show a colour for a while."""
    return {
        "command": osdp_sys.CMD_LED,
        "reader": 0,
        "led_number": 0,
        "temporary": True,
        "control_code": LED_SET_TEMPORARILY,
        "on_count": 1,
        "off_count": 0,
        "on_color": color,
        "off_color": osdp_sys.LED_COLOR_NONE,
        "timer_count": for_ms // MS_PER_COUNT,
    }


def buzzer(beeps_count: int) -> dict[str, Any]:
    """Beep so often."""
    return {
        "command": osdp_sys.CMD_BUZZER,
        "reader": 0,
        "control_code": BUZZER_DEFAULT_TONE,
        "on_count": 1,
        "off_count": 1,
        "rep_count": beeps_count,
    }


def text(words: str, for_ms: int) -> dict[str, Any]:
    """Show printable ASCII, at most TEXT_LENGTH_MAX, for a while."""
    return {
        "command": osdp_sys.CMD_TEXT,
        "reader": 0,
        "control_code": TEXT_TEMPORARILY,
        "temp_time": max(for_ms // 1_000, 1),
        "offset_row": 1,
        "offset_col": 1,
        "data": words,
    }


def keyset(key: bytes) -> dict[str, Any]:
    """Give a new secure-channel base key, 16 bytes."""
    return {"command": osdp_sys.CMD_KEYSET, "type": KEYSET_SCBK, "data": key}
