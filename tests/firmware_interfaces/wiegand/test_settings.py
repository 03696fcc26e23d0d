import pytest
from pydantic import ValidationError

from firmware_interfaces.wiegand.formats import FORMATS, Format, Parity
from firmware_interfaces.wiegand.settings import WiegandLine

PARITY = {"at": 9, "first": 1, "last": 8, "odd": True}


def line(**device: object) -> WiegandLine:
    table = {"family": "wiegand", "port": "/dev/a", "devices": [{"name": "card"} | device]}
    return WiegandLine.model_validate(table)


def test_the_common_converter_needs_no_setting() -> None:
    assert line().baud == 9_600
    assert line().devices[0].card_format() is FORMATS["26"]


def test_nothing_is_known_of_raw_bits() -> None:
    assert line(format="raw").devices[0].card_format() is None


def test_a_format_of_ones_own() -> None:
    settings = line(format="free", bits=9, parities=[PARITY]).devices[0]
    assert settings.card_format() == Format(9, (Parity(9, 1, 8, is_odd=True),))


@pytest.mark.parametrize(
    ("device", "message"),
    [
        ({"format": "free"}, "needs bits"),
        ({"bits": 30}, "belong to format"),
        ({"parities": [PARITY]}, "belong to format"),
        ({"format": "free", "bits": 8, "parities": [PARITY]}, "past the last"),
        ({"format": "free", "bits": 9, "parities": [PARITY, PARITY]}, "in one place"),
        ({"format": "free", "bits": 9, "parities": [PARITY | {"at": 5}]}, "not itself"),
        ({"format": "free", "bits": 9, "parities": [PARITY | {"first": 10}]}, "first to last"),
    ],
    ids=str,
)
def test_what_is_refused(device: dict[str, object], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        line(**device)


@pytest.mark.parametrize(
    ("device", "count"),
    [
        ({}, 3),
        ({"form": "bits"}, 3),
        ({"form": "bits", "carries": "frame"}, 2),
        ({"form": "bits", "carries": "frame", "format": "raw"}, 3),
        ({"form": "stx"}, 2),
        ({"reads": 1}, 1),
    ],
    ids=str,
)
def test_a_number_without_a_check_is_read_once_more(device: dict[str, object], count: int) -> None:
    assert line(**device).devices[0].reads_count == count
