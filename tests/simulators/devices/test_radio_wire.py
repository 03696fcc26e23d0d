from firmware_interfaces.observations import Seen
from simulators.devices.radio_wire import BadgeOnAir, ibeacon


def test_a_badge_comes_and_goes_once_and_may_be_called_otherwise() -> None:
    badge = BadgeOnAir("w-1", 3)
    assert badge.identity == ibeacon(3)[0]
    for act in (badge.come, badge.come, badge.go, badge.go):
        act()
    assert [(e.seen, e.value) for e in badge.emitted] == [
        (Seen.ENTERED, badge.identity),
        (Seen.LEFT, badge.identity),
    ]
    badge.calls_itself("eid:w-1", b"\x30", "02:00:00:00:00:09")
    assert badge.says == {"advertise": "02:00:00:00:00:09", "eddystone": "30"}
