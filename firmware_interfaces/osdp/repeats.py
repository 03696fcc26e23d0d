"""When a command is sent once more because its answer was spoiled or did not come.

libosdp waits 500 ms before it does so itself; some readers give a session up after 800. The line
is half duplex, so that a repetition must never fall into an answer: it waits for silence, and for
longer than the reader took to begin of late. Source: IEC 60839-11-5: a command that is repeated
byte for byte gets the same answer again; a reader begins to answer within 200 ms.
"""

from typing import Final

from agreed.machine import NS_PER_MS

SILENCE_MS: Final = 30  # after a spoiled answer; USB adapters hold bytes back for up to 16 ms
DELAY_MS_MIN: Final = 30
DELAY_FACTOR: Final = 3
FADE_PARTS: Final = 15
WITHIN_MS: Final = 170  # libosdp gives the answer up after 200
REPEATS_COUNT_MAX: Final = 3
NS_PER_S_AND_BITS: Final = 10_000_000_000  # a byte has ten bits


class Repeats:
    """Watches one command at a time; all times are `Moment.mono_ns`.

    Args:
        baud: of the line, bits per second.

    Attributes:
        repeated_count: commands that were sent once more.
    """

    def __init__(self, baud: int) -> None:
        self.repeated_count = 0
        self._byte_ns = NS_PER_S_AND_BITS // baud
        self._delays_ns: dict[int, int] = {}
        self._command = b""
        self._address = 0
        self._first_ns = 0
        self._sent_ns = 0
        self._heard_ns: int | None = None
        self._left_count = 0

    def sent(self, command: bytes, address: int, now_ns: int) -> None:
        """A new command leaves."""
        self._command, self._address = command, address
        self._first_ns = now_ns
        self._sent_ns = now_ns + len(command) * self._byte_ns
        self._heard_ns = None
        self._left_count = REPEATS_COUNT_MAX

    def heard(self, now_ns: int) -> None:
        """Bytes came, of whatever kind."""
        self._heard_ns = now_ns

    def answered(self, reply_bytes_count: int, now_ns: int) -> None:
        """The answer came; how long the reader took to begin it is remembered."""
        if not self._command:
            return
        delay_ns = now_ns - self._sent_ns - reply_bytes_count * self._byte_ns
        longest_ns = self._delays_ns.get(self._address, 0)
        faded_ns = longest_ns * FADE_PARTS // (FADE_PARTS + 1)  # one slow answer is not for ever
        self._delays_ns[self._address] = max(faded_ns, delay_ns)
        self._command = b""

    def due_ns(self) -> int | None:
        """When the command is to be sent once more; None when it is not."""
        if not self._command or not self._left_count:
            return None
        if self._heard_ns is not None:
            due_ns = self._heard_ns + SILENCE_MS * NS_PER_MS
        elif self._address in self._delays_ns:
            delay_ns = DELAY_FACTOR * self._delays_ns[self._address]
            due_ns = self._sent_ns + max(delay_ns, DELAY_MS_MIN * NS_PER_MS)
        else:
            return None  # nobody knows yet how slow it is
        return due_ns if due_ns - self._first_ns <= WITHIN_MS * NS_PER_MS else None

    def repeat(self, now_ns: int) -> bytes:
        """Give the command once more if it is due; else nothing."""
        due_ns = self.due_ns()
        if due_ns is None or now_ns < due_ns:
            return b""
        self.repeated_count += 1
        self._left_count -= 1
        self._sent_ns = now_ns + len(self._command) * self._byte_ns
        self._heard_ns = None
        return self._command
