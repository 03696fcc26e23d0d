from typing import Any

from agreed.machine import NS_PER_S, Moment
from firmware_interfaces.ble.codec import (
    EDDYSTONE,
    MANUFACTURER,
    SERVICE_16,
    Report,
    structure,
    written,
)
from firmware_interfaces.ble.ephemeral import eid
from firmware_interfaces.ble.machine import TRACKED_COUNT_MAX, BleMachine
from firmware_interfaces.ble.settings import BleLine
from firmware_interfaces.observations import Admit, Observation, Seen
from simulators.devices.radio_wire import ibeacon
from tests.firmware_interfaces.worlds import at_ms

KEY = bytes.fromhex("0102030405060708090a111213141516")


def machine(**radio: Any) -> BleMachine:
    table = {"family": "ble", "port": "ble://hci0", "devices": [{"name": "lobby"} | radio]}
    line = BleLine.model_validate(table)
    made = BleMachine(line, [badge.read_key() for badge in line.devices[0].badges])
    assert [o.seen for o in made.line_opened(at_ms(0))] == [Seen.BACK]
    return made


def beacon(number: int, rssi_dbm: int = -50) -> bytes:
    _, apple = ibeacon(number)
    data = structure(1, b"\x06") + structure(MANUFACTURER, b"\x4c\x00" + apple)
    return written(Report(bytes(5) + bytes([number % 256]), rssi_dbm, data))


def hear(made: BleMachine, *frames: bytes, ms: int = 0) -> list[tuple[Seen, str]]:
    said: list[Observation] = []
    for number, frame in enumerate(frames):
        said += made.bytes_received(frame, at_ms(ms + number))
    assert {o.device for o in said} <= {"lobby"}
    return [(o.seen, o.value) for o in said]


def test_a_thousand_advertisements_are_two_observations() -> None:
    made, (name, _) = machine(away_s=15), ibeacon(1)
    said = hear(made, *[beacon(1)] * 1_000)
    assert said == [(Seen.ENTERED, name)]
    deadline_ns = made.deadline_ns()
    assert deadline_ns == at_ms(999 + 15_000).mono_ns
    left = made.time_passed(Moment(0, deadline_ns))
    assert [(o.seen, o.value) for o in left] == [(Seen.LEFT, name)]
    assert made.deadline_ns() is None


def test_a_badge_that_changes_its_name_and_address_stays_one_badge() -> None:
    made = machine(badges=[{"name": "w-1", "key": KEY.hex(), "exponent": 4, "began_s": 0}])
    said = []
    for second in range(0, 200, 2):
        value = EDDYSTONE.to_bytes(2, "little") + b"\x30\x00" + eid(KEY, 4, second)
        data = structure(SERVICE_16, value)
        frame = written(Report(second.to_bytes(6), -50, data))
        now = Moment(second * NS_PER_S, second * NS_PER_S)
        said += made.bytes_received(frame, now) + made.time_passed(now)
    assert [(o.seen, o.value) for o in said] == [(Seen.ENTERED, "eid:w-1")]


def test_strangers_are_not_heeded() -> None:
    (mine, _), unknown = ibeacon(1), structure(SERVICE_16, b"\xaa\xfe\x30\x00" + bytes(8))
    made = machine(prefixes=[mine.rsplit(":", 2)[0]])
    frames = [
        beacon(1),
        beacon(2),
        written(Report(bytes(6), -50, unknown)),
        written(Report(bytes(6), 0, b"")),
    ]
    assert hear(made, *frames * 3) == [(Seen.ENTERED, mine)]


def test_a_crowd_is_bounded_and_who_is_near_is_not_forgotten() -> None:
    made, (name, _) = machine(), ibeacon(1)
    assert hear(made, beacon(1), beacon(1)) == [(Seen.ENTERED, name)]
    for number in range(TRACKED_COUNT_MAX + 50):
        data = structure(MANUFACTURER, b"\x4c\x00\x02\x15" + number.to_bytes(16) + bytes(5))
        hear(made, written(Report(bytes(6), -90, data)), ms=10 + number)
    assert len(made._near) == TRACKED_COUNT_MAX
    assert made._near[name].is_near
    for one in made._near.values():
        one.is_near = True
    hear(made, beacon(77))
    assert made.untracked_count == 1


def test_a_radio_that_was_lost_says_nothing_about_badges() -> None:
    made, (name, _) = machine(away_s=15), ibeacon(1)
    hear(made, beacon(1), beacon(1))
    assert [(o.seen, o.value) for o in made.line_lost(at_ms(10))] == [(Seen.LOST, "port")]
    assert made.deadline_ns() is None
    assert made.time_passed(at_ms(60_000)) == []
    made.line_opened(at_ms(60_000))
    assert made.time_passed(at_ms(74_000)) == []
    assert [(o.seen, o.value) for o in made.time_passed(at_ms(75_000))] == [(Seen.LEFT, name)]


def test_a_radio_does_nothing_but_listen() -> None:
    made = machine()
    reasons = [o.value for o in made.command(Admit("lobby"), at_ms(0))]
    made.line_lost(at_ms(1))
    reasons += [o.value for o in made.command(Admit("lobby"), at_ms(1))]
    assert reasons == ["not a command for this device", "lost"]
    assert made.bytes_to_send() == b""
