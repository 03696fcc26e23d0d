"""libosdp's control panel behind an in-memory channel, with the cures that 3.2.9 needs.

* A reply in pieces is discarded by libosdp: `read` gives exactly one whole, CRC-checked frame.
* A late reply is taken for the answer to another command: replies whose address or sequence
  differ from the last command's are dropped.
* Calls on the panel inside its callbacks deadlock: callbacks only append to queues.
* Session nonces come from an unseeded rand(): `seed_nonces` seeds it (32 bits, no more).
* Without EnforceSecure a wrong key silently means plain text: the flag is always set.
* A frame that was spoiled costs 500 ms and may cost the session: `Repeats` asks again sooner.
* Channels are told apart by `id`, which must be unique in the process and not 0.
* Beside that flag, the channel looks at every command itself: without an open window for its
  reader nothing leaves that trusts the well-known key, and nothing after the questions who a
  reader is and what it has leaves in plain text.

libosdp reads its own clock; nothing here does.
"""

import ctypes
import itertools
from collections import deque
from collections.abc import Sequence
from hashlib import sha256
from typing import Any

import osdp_sys  # type: ignore[import-not-found]  # a C module without stubs

from firmware_interfaces.garbage import Garbage
from firmware_interfaces.osdp.codec import (
    ASK_CAPABILITIES,
    ASK_IDENTITY,
    BUSY,
    CHALLENGE,
    NAK,
    SERVER_CRYPTOGRAM,
    Frame,
    FrameReader,
    read_frame,
)
from firmware_interfaces.osdp.repeats import Repeats

EVENTS_COUNT_MAX = 256
REFRESHES_COUNT = 4  # a reply needs three to be digested and followed by the next command

_channel_ids = itertools.count(1)


def seed_nonces(entropy: bytes, line: str) -> None:
    """Seed the rand() that libosdp draws its session nonces from.

    Args:
        entropy: 16 or more random bytes, never used before.
        line: any text that differs between lines seeded from the same entropy.
    """
    seed = int.from_bytes(sha256(entropy + line.encode()).digest()[:4], "little")
    ctypes.CDLL(None).srand(ctypes.c_uint(seed))


def is_trusted(command: Frame) -> bool:
    """Whether a command may leave at any time: secure under a reader's own key, or a beginning."""
    if command.is_challenge_with_default_key:
        return False
    is_beginning = command.code in {ASK_IDENTITY, ASK_CAPABILITIES, CHALLENGE, SERVER_CRYPTOGRAM}
    return is_beginning or command.security != b""


class Channel:
    """The wire as libosdp sees it: one command out, one whole reply in.

    Attributes:
        now_ns: what time it is, as far as it was told.
        repeats: when the command is sent once more.
        asked: the command that waits for its reply.
        installing: addresses of readers whose installation window is open.
        withheld_count: commands that did not leave because no window was open for them.
    """

    def __init__(self, baud: int = 9_600) -> None:
        self.id = next(_channel_ids)
        self.now_ns = 0
        self.repeats = Repeats(baud)
        self.asked: Frame | None = None
        self.outgoing = bytearray()
        self.reader = FrameReader()
        self.unanswered_count: dict[int, int] = {}
        self.installing: set[int] = set()
        self.withheld_count = 0
        self._reply = b""

    def read(self, bytes_max: int) -> bytes:
        """Hand the reply to libosdp, once; it reads on until nothing is left."""
        reply, self._reply = self._reply[:bytes_max], self._reply[bytes_max:]
        return reply

    def write(self, data: bytes) -> int:
        """Take a command from libosdp; whatever was still coming in is too late."""
        self.asked = asked = read_frame(data.removeprefix(b"\xff"))
        assert asked is not None, "libosdp sends whole frames"
        self.unanswered_count[asked.address] = self.unanswered_count.get(asked.address, 0) + 1
        if asked.address in self.installing or is_trusted(asked):
            self.outgoing += data
            self.repeats.sent(data, asked.address, self.now_ns)
        else:
            self.withheld_count += 1
        self.reader.reset()
        self._reply = b""
        return len(data)

    def flush(self) -> None:
        """Have nothing to flush; libosdp wants the method."""

    def offer(self, frame: Frame) -> bool:
        """Take a frame from the wire if it answers the last command."""
        asked = self.asked
        if asked is None or not frame.is_reply or frame.address != asked.address:
            return False
        if frame.sequence != asked.sequence and frame.code not in {BUSY, NAK}:
            return False
        self.asked = None
        self.repeats.answered(len(frame.raw) + 1, self.now_ns)
        self.unanswered_count[frame.address] = 0
        self._reply = frame.raw
        return True


class Panel:
    """One line's control panel; readers are known by their index.

    Attributes:
        events: (index, event) as libosdp reports them, oldest first.
        completions: (index, command, status) of commands that ended.
        garbage: what came on the line and was no frame.
    """

    def __init__(self, readers: Sequence[tuple[int, bytes]], baud: int = 9_600) -> None:
        self.events: deque[tuple[int, dict[str, Any]]] = deque(maxlen=EVENTS_COUNT_MAX)
        self.completions: deque[tuple[int, dict[str, Any], int]] = deque(maxlen=EVENTS_COUNT_MAX)
        self.garbage = Garbage()
        self._channel = Channel(baud)
        self._index_of = {address: index for index, (address, _) in enumerate(readers)}
        osdp_sys.set_loglevel(osdp_sys.LOG_EMERG)
        self._panel = osdp_sys.ControlPanel(
            [_reader_info(address, key, self._channel) for address, key in readers]
        )
        # The callbacks hold the queues and not the panel, so that no reference runs in a circle.
        events, completions = self.events, self.completions

        def on_event(index: int, event: dict[str, Any]) -> int:
            events.append((index, event))
            return 0

        def on_completion(index: int, command: dict[str, Any], status: int) -> None:
            completions.append((index, command, status))

        self._panel.set_event_callback(on_event)
        self._panel.set_command_completion_callback(on_completion)

    def time_is(self, now_ns: int) -> None:
        """Tell the time; a command whose answer is overdue or spoiled is sent once more."""
        self._channel.now_ns = now_ns
        self._channel.outgoing += self._channel.repeats.repeat(now_ns)

    def hears_at(self, now_ns: int) -> None:
        """Tell the time at which bytes came."""
        self._channel.now_ns = now_ns

    def repeat_ns(self) -> int | None:
        """When a command is to be sent once more; None when none is."""
        return self._channel.repeats.due_ns()

    def bytes_received(self, data: bytes) -> list[int]:
        """Take in bytes; gives the indexes of the readers that answered."""
        answered = []
        self._channel.repeats.heard(self._channel.now_ns)
        frames = self._channel.reader.feed(data)
        self.garbage.heard(data, is_understood=bool(frames))
        for frame in frames:
            if self._channel.offer(frame):
                answered.append(self._index_of[frame.address])
                self.refresh()
        return answered

    def unanswered_count(self, address: int) -> int:
        """How many commands in a row one reader has not answered."""
        return self._channel.unanswered_count.get(address, 0)

    def refresh(self) -> None:
        """Let libosdp work, up to its next command."""
        for _ in range(REFRESHES_COUNT):
            self._panel.refresh()
            if self._channel.outgoing:
                break

    def bytes_to_send(self) -> bytes:
        """Hand over the command, if there is one."""
        data = bytes(self._channel.outgoing)
        self.garbage.sent(data)
        self._channel.outgoing.clear()
        return data

    def submit(self, index: int, command: dict[str, Any]) -> bool:
        """Queue a command; False when libosdp does not take it."""
        try:
            return bool(self._panel.submit_command(index, command))
        except (SystemError, ValueError, TypeError):
            return False

    def flush(self, index: int) -> None:
        """Forget the commands of one reader that were not sent."""
        self._panel.flush_commands(index)

    def disable(self, index: int) -> None:
        """Stop talking to one reader."""
        self._panel.disable_pd(index)

    def enable(self, index: int) -> None:
        """Begin talking to one reader from the start."""
        self._panel.enable_pd(index)

    def is_secure(self, index: int) -> bool:
        """Whether the secure channel of one reader stands."""
        return bool(self._panel.sc_status() >> index & 1)

    def set_installing(self, index: int, address: int, *, is_open: bool) -> None:
        """Take the well-known key and plain text from one reader, or take them no more."""
        if is_open:
            self._channel.installing.add(address)
            self._panel.clear_flag(index, osdp_sys.FLAG_ENFORCE_SECURE)
        else:
            self._panel.set_flag(index, osdp_sys.FLAG_ENFORCE_SECURE)
            self._channel.installing.discard(address)

    @property
    def withheld_count(self) -> int:
        """How many commands did not leave because no window was open for them."""
        return self._channel.withheld_count

    def identity(self, index: int) -> dict[str, int]:
        """Who a reader says it is: vendor_code, model, version, serial_number, firmware_version."""
        said = self._panel.get_pd_id(index)
        return {name: int(said[name]) for name in sorted(said)}

    def items_count(self, index: int, capability: int) -> int:
        """How many outputs, LEDs and so on a reader says it has; 0 for none."""
        level, items_count = self._panel.check_capability(index, capability)
        return max(int(items_count), 1) if level else 0


def _reader_info(address: int, key: bytes, channel: Channel) -> dict[str, Any]:
    return {
        "name": f"reader-{address}",
        "address": address,
        "flags": osdp_sys.FLAG_ENFORCE_SECURE | osdp_sys.FLAG_ENABLE_NOTIFICATION,
        "scbk": key,
        "channel": channel,
        # Who the reader is belongs to peripherals; libosdp wants the fields all the same.
        "version": 0,
        "model": 0,
        "vendor_code": 0,
        "serial_number": 0,
        "firmware_version": 0,
    }
