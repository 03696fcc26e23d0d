import time

from firmware_interfaces.observations import Seen
from simulators.devices.ssi_scanner import AGAIN_S, ATTEMPTS_COUNT_MAX, SsiScanner, packet

ACK = bytes.fromhex("04d00400ff28")


def wired() -> tuple[SsiScanner, list[bytes]]:
    scanner, sent = SsiScanner("qr"), []
    scanner.send = lambda data, _=None: sent.append(data)
    return scanner, sent


def test_a_code_is_emitted_when_it_was_acknowledged_and_the_next_one_follows() -> None:
    scanner, sent = wired()
    scanner.read_out("A")
    scanner.read_out("B")
    assert sent == [packet(0xF3, b"\x03A")]
    scanner.hear(b"noise" + ACK)
    assert sent[1:] == [packet(0xF3, b"\x03B")]
    scanner.hear(ACK)
    scanner.hear(ACK)
    assert [(e.seen, e.value) for e in scanner.emitted] == [(Seen.CODE, "A"), (Seen.CODE, "B")]


def test_a_code_that_nobody_acknowledges_is_sent_again_and_then_given_up() -> None:
    scanner, sent = wired()
    scanner.is_deaf = True
    scanner.read_out("A")
    scanner.hear(ACK)
    scanner.time_passed()
    assert len(sent) == 1
    scanner._again_s = time.monotonic() - AGAIN_S
    scanner.time_passed()
    assert sent[1] == packet(0xF3, b"\x03A", 1)
    for _ in range(ATTEMPTS_COUNT_MAX):
        scanner._again_s = time.monotonic() - 1
        scanner.time_passed()
    assert len(sent) == ATTEMPTS_COUNT_MAX
    assert scanner.emitted == []


def test_it_says_its_revision_and_obeys_a_trigger() -> None:
    scanner, sent = wired()
    scanner.hear(bytes.fromhex("04a30400ff55"))
    scanner.hear(bytes.fromhex("04e40400ff14"))
    scanner.hear(bytes.fromhex("04e40400ff15"))
    assert [data[1] for data in sent] == [0xA4, 0xD0]
    assert scanner.triggered_count == 1
