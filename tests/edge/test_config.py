"""Everything wrong with box.toml is one sentence that names the place."""

import re
from pathlib import Path

import pytest

from agreed.words import RemedyError, language
from edge.config import BoxSettings, read_settings

EXAMPLE = re.search(r"```toml\n(.*?)```", Path("docs/box.md").read_text("utf-8"), re.DOTALL)
KEY = "0123456789abcdef0123456789abcd99"


def example() -> str:
    assert EXAMPLE is not None
    return EXAMPLE.group(1)


def read(tmp_path: Path, text: str) -> BoxSettings:
    path = tmp_path / "box.toml"
    path.write_text(text, "utf-8")
    return read_settings(path)


def sentence(tmp_path: Path, text: str) -> str:
    token = language.set("en")
    try:
        with pytest.raises(RemedyError) as caught:
            read(tmp_path, text)
    finally:
        language.reset(token)
    message = str(caught.value)
    assert "\n" not in message
    return message.removeprefix(f"{tmp_path / 'box.toml'}: ")


def test_the_documented_example_is_valid(tmp_path: Path) -> None:
    settings = read(tmp_path, example())
    assert settings.data == tmp_path / "data"
    assert settings.banks() == {"lockers": 24}
    assert (settings.headquarters.host, settings.headquarters.port) == ("hq.example.cn", 1883)
    assert not settings.headquarters.is_encrypted


def test_every_setting_is_documented() -> None:
    text = example()
    for name in BoxSettings.model_fields:
        assert re.search(rf"^(\[+{name}\]+|{name} =)", text, re.MULTILINE), name


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ('site = "lakeside"', "", "site is missing; add it."),
        ('"lakeside"', '"Lake Side"', "site may only hold a-z, 0-9 and, within, hyphens"),
        ("alive_s = 300", "alive_s = 0", "alive_s must be at least 1."),
        ("alive_s = 300", 'alive_s = "x"', "alive_s must be a whole number."),
        ("alive_s = 300", "alife_s = 300", "alife_s is not a setting"),
        ("window_ms = 200", "window_ms = 9000", "journal.window_ms must be at most 5000."),
        ("mqtt://hq.example.cn:1883", "hq.example.cn", "headquarters.url: write mqtt://host:1883"),
        ('user = "east-gate"', "", "headquarters: a password needs a user"),
        ('reader = "gate-out"', 'reader = "gate-in"', "gate-in is given to two gates, kiosks"),
        ('reader = "gate-out"', 'reader = "kiosk"', "gate.reader: no [[line]] has a suitable"),
        ('radio = "lobby"', 'radio = "kiosk"', "place.radio: no [[line]] has a suitable"),
        ('opener = "door-north"', "", "gate.opener: no [[line]] has a suitable device called back"),
        ('opener = "door-north"', 'opener = "lobby"', "gate.opener: no [[line]] has a suitable"),
        ('button = "door-north"', 'button = "back"', "gate.button: no [[line]] has a suitable"),
        ('reader = "gate-out"', "", "gate[2]: a gate needs a reader, or a button and an opener"),
        ('bank = "lockers"', 'bank = "locker"', "kiosk.bank: no [[line]] has a suitable device"),
        ('{ name = "kiosk"', '{ name = "lockers"', "two devices are called lockers; rename one."),
        ('"locker_cu16"', '"locker_cu17"', "line[2]: the family must be one of"),
        ("address = 1", "address = 0", "line[1]: address is given twice on one line: 0."),
        ('key_file = "keys/gate-in"', 'key = "00"', "line[1].devices[1].key: a secure-channel"),
        ('"/dev/ttyACM0"', '"ttyACM0"', "line[3].port: a port is a path such as /dev/ttyUSB0"),
    ],
)
def test_one_wrong_place_is_named(tmp_path: Path, before: str, after: str, expected: str) -> None:
    assert before in example()
    assert sentence(tmp_path, example().replace(before, after, 1)).startswith(expected)


LISTENING = """
company = "c"
site = "s"
box = "b"
data = "data"
headquarters = { url = "mqtt://h" }
[[line]]
family = "osdp"
port = "/dev/ttyUSB0"
mode = "listen"
devices = [{ name = "theirs", address = 0 }]
[[line]]
family = "contacts"
port = "/dev/gpiochip0"
devices = [{ name = "door", strike = 22, button = 27 }]
[[line]]
family = "wiegand"
port = "/dev/ttyUSB1"
devices = [{ name = "ours" }]
"""


@pytest.mark.parametrize(
    "gate",
    [
        'reader = "theirs"\nopener = "door"',
        'reader = "theirs"\nbutton = "door"',
        'reader = "ours"\nopener = "theirs"',
    ],
)
def test_a_reader_that_is_only_heard_moves_nothing_of_ours(tmp_path: Path, gate: str) -> None:
    told = sentence(tmp_path, f"{LISTENING}[[gate]]\n{gate}\n")
    assert told.startswith("gate: theirs is only listened to, and its own controller decides")


def test_a_reader_that_is_only_heard_is_a_gate_of_its_own(tmp_path: Path) -> None:
    settings = read(tmp_path, f'{LISTENING}[[gate]]\nreader = "theirs"\n')
    assert settings.listeners() == {"theirs"}


def test_a_file_that_is_not_there_or_not_toml_says_so(tmp_path: Path) -> None:
    with pytest.raises(RemedyError, match=r"box\.md"):
        read_settings(tmp_path / "none.toml")
    with pytest.raises(RemedyError, match="TOML"):
        read(tmp_path, "company = ")
    with pytest.raises(RemedyError):
        read_settings(tmp_path)


@pytest.mark.parametrize("value", ["9" * 5_000, "[" * 5_000])
def test_toml_that_its_parser_cannot_bear_says_so(tmp_path: Path, value: str) -> None:
    assert "not valid TOML" in sentence(tmp_path, f"alive_s = {value}")


def test_devices_that_are_no_list_are_named(tmp_path: Path) -> None:
    text = '[[line]]\nfamily = "osdp"\nport = "/dev/ttyUSB0"\ndevices = 5\n'
    assert "devices" in sentence(
        tmp_path,
        'company = "a"\nsite = "b"\nbox = "c"\ndata = "d"\n[headquarters]\nurl = "mqtt://h"\n'
        + text,
    )


def test_the_password_comes_from_its_file(tmp_path: Path) -> None:
    settings = read(tmp_path, example())
    with pytest.raises(RemedyError, match="password_file"):
        settings.headquarters.read_password()
    (tmp_path / "hq.password").write_text("secret\n", "utf-8")
    assert settings.headquarters.read_password() == "secret"
