from edge.trial import _ACTS, _OUTCOMES, printed
from firmware_interfaces.ble.codec import Report, written
from firmware_interfaces.discovery.rehearsal import Act, Outcome


def test_every_act_and_outcome_has_its_words() -> None:
    assert set(_ACTS) == set(Act)
    assert set(_OUTCOMES) == set(Outcome)


def test_rows_are_printed_for_people() -> None:
    door = {"ms": 12, "device": "lockers", "seen": "DOOR_OPENED", "value": "", "part": 3}
    assert printed(door).split() == ["12", "ms", "lockers", "DOOR_OPENED", "3"]
    frame = {"ms": 5, "port": "/dev/a", "from": "device", "hex": "02"}
    assert printed(frame).split() == ["5", "ms", "/dev/a", "<-", "02"]
    assert printed(frame | {"from": "box"}).split()[3] == "->"


def test_what_is_heard_on_the_air_is_printed_with_its_strength() -> None:
    heard = written(Report(bytes.fromhex("020000000101"), -71, b"\x03\xff\x4c\x00"))
    row = {"ms": 5, "port": "ble://hci0", "from": "device", "hex": (heard + heard).hex()}
    one = "02:00:00:00:01:01 -71 dBm 03ff4c00"
    assert printed(row).endswith(f"<- {one}, {one}")
    assert printed(row | {"hex": "00"}).endswith("<- 00")
