from firmware_interfaces.observations import Seen
from simulators.devices.far_device import FarDevice


def test_what_is_emitted_is_kept_in_order() -> None:
    device = FarDevice("gate")
    device.emit(Seen.CARD, "26:0a1b2c80")
    device.emit(Seen.DOOR_OPENED, part=3)
    assert [(e.device, e.seen, e.value, e.part) for e in device.emitted] == [
        ("gate", Seen.CARD, "26:0a1b2c80", 0),
        ("gate", Seen.DOOR_OPENED, "", 3),
    ]
    assert device.emitted[0].mono_ns <= device.emitted[1].mono_ns


def test_a_device_that_is_not_plugged_in_speaks_to_nobody() -> None:
    FarDevice("gate").send(b"hello")
