from edge.trial import _ACTS, _OUTCOMES, printed
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
