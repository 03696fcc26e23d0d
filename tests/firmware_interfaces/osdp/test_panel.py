"""Each cure of a defect of libosdp 3.2.9, by a test that fails without it."""

import osdp_sys  # type: ignore[import-not-found]  # a C module without stubs
import pytest

from firmware_interfaces.osdp.codec import Frame, read_frame
from firmware_interfaces.osdp.panel import Channel, Panel, seed_nonces
from tests.firmware_interfaces.osdp.pairs import Pair
from tests.firmware_interfaces.worlds import KEY

CHALLENGE = 0x76


def frame(raw: bytes) -> Frame:
    found = read_frame(raw.removeprefix(b"\xff"))
    assert found is not None
    return found


def test_cure_whole_frames_a_reply_in_pieces_is_understood() -> None:
    pair = Pair()

    def piecemeal(data: bytes) -> None:
        for index in range(len(data)):
            pair.panel.bytes_received(data[index : index + 1])

    pair.deliver = piecemeal
    assert pair.until(pair.is_online)


def test_defect_whole_frames_libosdp_itself_still_discards_pieces(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    pair = Pair()
    channel = pair.panel._channel
    pieces: list[bytes] = []
    pair.deliver = lambda data: pieces.extend([data[:6], data[6:]])
    monkeypatch.setattr(channel, "read", lambda _: pieces.pop(0) if pieces else b"")
    assert not pair.until(pair.is_online, wait_s=1.0)


def test_cure_late_replies_another_readers_reply_is_dropped() -> None:
    pair = Pair(addresses=(1, 2))
    assert pair.until(lambda: pair.is_online(0) and pair.is_online(1))
    late = [reply for reply in pair.replied if frame(reply).address == 1][-1]
    direct = pair.panel.bytes_received

    def late_first(data: bytes) -> None:
        if frame(data).address == 2:
            direct(late)
        direct(data)

    pair.deliver = late_first
    pair.run(1.0)
    assert pair.is_online(0)
    assert pair.is_online(1)
    assert not pair.was_told_offline()


def test_cure_late_replies_an_older_reply_of_the_same_reader_is_dropped() -> None:
    pair = Pair()
    assert pair.until(pair.is_online)
    direct = pair.panel.bytes_received

    def older_first(data: bytes) -> None:
        direct(pair.replied[-2])
        direct(data)

    pair.deliver = older_first
    pair.run(0.5)
    assert pair.is_online()
    assert not pair.was_told_offline()


def test_a_reply_is_taken_once_and_only_after_a_command() -> None:
    pair = Pair()
    assert pair.until(pair.is_online)
    channel = pair.panel._channel
    assert not channel.offer(frame(pair.replied[-1]))
    channel.write(pair.sent[-1])
    assert not channel.offer(frame(pair.sent[-1]))
    assert channel.offer(frame(pair.replied[-1]))
    assert not channel.offer(frame(pair.replied[-1]))


def test_cure_nonces_follow_the_entropy() -> None:
    def challenge(entropy: bytes) -> bytes:
        seed_nonces(entropy, "/dev/ttyUSB0")
        pair = Pair()
        assert pair.until(pair.is_online)
        return next(sent for sent in pair.sent if frame(sent).code == CHALLENGE)

    assert challenge(b"a" * 16) == challenge(b"a" * 16)
    assert challenge(b"a" * 16) != challenge(b"b" * 16)


def test_cure_enforce_secure_a_wrong_key_never_comes_online() -> None:
    pair = Pair(reader_key=bytes(reversed(KEY)))
    assert not pair.until(lambda: pair.panel.is_secure(0), wait_s=1.0)
    assert all(event["event"] != osdp_sys.EVENT_CARDREAD for _, event in pair.panel.events)
    assert not any(frame(sent).code == 0x60 for sent in pair.sent), "nothing is polled in the clear"
    assert pair.panel.withheld_count == 0, "libosdp itself did not even try"


def test_cure_callbacks_only_queue() -> None:
    pair = Pair()
    assert pair.until(pair.is_online)
    pair.readers[0].show("26:0a1b2c80")
    assert pair.until(
        lambda: any(e["event"] == osdp_sys.EVENT_CARDREAD for _, e in pair.panel.events)
    )
    # Inside the callback this call would never come back.
    assert pair.panel.submit(
        0, {"command": osdp_sys.CMD_OUTPUT, "output_no": 0, "control_code": 5, "timer_count": 1}
    )
    assert pair.until(lambda: bool(pair.panel.completions))


def test_cure_channels_have_ids_of_their_own() -> None:
    ids = [Channel().id for _ in range(50)]
    assert len(set(ids)) == len(ids)
    assert 0 not in ids


def test_cure_offline_a_disabled_reader_comes_back_at_once() -> None:
    pair = Pair()
    assert pair.until(pair.is_online)
    pair.panel.disable(0)
    assert pair.until(lambda: not pair.panel.is_secure(0))
    pair.panel.enable(0)
    assert pair.until(pair.is_online)


def test_unanswered_commands_are_counted_until_an_answer() -> None:
    pair = Pair()
    assert pair.until(pair.is_online)
    assert pair.panel.unanswered_count(0) == 0
    direct, pair.deliver = pair.deliver, lambda _: None
    assert pair.until(lambda: pair.panel.unanswered_count(0) >= 2)
    pair.deliver = direct
    assert pair.until(lambda: pair.panel.unanswered_count(0) == 0)


def test_what_libosdp_does_not_take_is_said() -> None:
    panel = Panel([(0, KEY)])
    assert not panel.submit(0, {"command": osdp_sys.CMD_LED})
    assert panel.items_count(0, osdp_sys.CAP_OUTPUT_CONTROL) == 0


@pytest.mark.parametrize(
    "capability", [osdp_sys.CAP_OUTPUT_CONTROL, osdp_sys.CAP_READER_LED_CONTROL]
)
def test_what_a_reader_has_is_known_once_it_is_online(capability: int) -> None:
    pair = Pair()
    assert pair.until(pair.is_online)
    assert pair.panel.items_count(0, capability) >= 1
    assert pair.panel.items_count(0, osdp_sys.CAP_BIOMETRICS) == 0


def test_without_a_window_the_channel_itself_holds_back_what_trusts_a_known_key() -> None:
    pair = Pair(reader_key=None)
    pair.panel._panel.clear_flag(0, osdp_sys.FLAG_ENFORCE_SECURE)  # as if it had been forgotten
    assert not pair.until(pair.is_online, wait_s=1.5)
    assert pair.panel.withheld_count
    assert not any(frame(sent).is_challenge_with_default_key for sent in pair.sent)


def test_within_a_window_a_reader_gets_its_own_key() -> None:
    pair = Pair(reader_key=None)
    pair.panel.set_installing(0, 0, is_open=True)
    assert pair.until(pair.is_online)
    assert sum(frame(sent).is_challenge_with_default_key for sent in pair.sent) == 1
    pair.panel.set_installing(0, 0, is_open=False)
    pair.run(0.3)
    assert pair.is_online()


def test_a_reader_says_who_it_is() -> None:
    pair = Pair()
    assert pair.until(pair.is_online)
    assert pair.panel.identity(0) == {
        "firmware_version": 0x010203,
        "model": 1,
        "serial_number": 1,
        "vendor_code": 0xD01F00,
        "version": 1,
    }
