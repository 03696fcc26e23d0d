from firmware_interfaces.observations import Rekey, Seen


def test_wire_numbers_are_never_reused() -> None:
    assert {seen.name: seen.value for seen in Seen} == {
        "LOST": 1,
        "BACK": 2,
        "CARD": 3,
        "KEYS": 4,
        "CODE": 5,
        "DOOR_OPENED": 6,
        "DOOR_CLOSED": 7,
        "DOOR_STUCK": 8,
        "TAMPERED": 9,
        "REFUSED_BY_DEVICE": 10,
        "ADMITTED": 11,
        "DOOR_FORCED": 12,
        "DOOR_HELD": 13,
        "PRESSED": 14,
        "CARD_BEFORE": 15,
        "MISSED": 16,
        "REKEYED": 17,
        "ENTERED": 18,
        "LEFT": 19,
        "CLASHED": 20,
        "INSTALL_OPENED": 30,
        "INSTALL_CLOSED": 31,
        "POWER_LOST": 32,
        "POWER_BACK": 33,
        "UNTAMPERED": 34,
        "DESCRIBED": 35,
        "UNREADABLE": 36,
    }


def test_a_key_is_not_shown() -> None:
    assert repr(Rekey("gate", bytes(range(16)))) == "Rekey(device='gate')"
