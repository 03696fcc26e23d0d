"""One reader as the line's machine sees it: when to talk to it, and what was promised it."""

from collections import deque
from dataclasses import dataclass, field

from agreed.machine import NS_PER_MS, NS_PER_S, Moment
from firmware_interfaces.observations import Admit, Observation, Seen
from firmware_interfaces.osdp.panel import Panel
from firmware_interfaces.presence import Presence, refused

TICK_MS = 10  # libosdp asks for 50 or less; this is what its time-outs are measured with
# A reader is asked 50 ms after its last answer, by a clock of whole milliseconds. Looking just
# then, and not at the next tick, is worth 5 ms of every tap.
POLL_DUE_MS = 52
POLL_LATE_TICK_MS = 2
CYCLE_MS = 150  # libosdp needs this long between disable and enable
REST_MS = 2_000  # a reader that does not answer leaves the line to the others for so long
SILENCE_MS_MAX = 3_000  # an on-line reader that is silent for longer is lost
GRACE_MS = 2_000  # a reader that drops its session and comes back within this was never lost
HANDSHAKE_MS_MAX = 10_000
OTHER_KEY_MS = 10_000  # trying a reader's other key begins every session of the line anew
UNANSWERED_COUNT_MAX = 3
ADMITS_COUNT_MAX = 4  # admissions of one reader that wait for their confirmation
INSTALL_S_MAX = 600

KEEPS_KEY = "reader keeps its key"
EITHER_KEY = "lost; it may have either key"


@dataclass(slots=True)
class Reader:
    """What is known of one reader.

    Attributes:
        index: its place in the panel.
        enabled_ns: since when libosdp talks to it; None while it rests.
        rest_ns: until when it rests.
        heard_ns: when it last answered.
        online_ns: since when its secure channel stands; None while it does not.
        offline_ns: since when it does not.
        admits: admissions that it has not confirmed, oldest first.
        new_key: the key that it was told and has not confirmed.
        keys: that it may have; the first one is tried now.
        install_until_ns: until when the well-known key is taken from it; None when it is not.
        newest_key: the later of two.
        other_key_ns: when the other one may be tried.
        is_keyed: whether it was given its own key within this window.
    """

    index: int
    address: int
    output: int
    presence: Presence
    enabled_ns: int | None = 0
    rest_ns: int = 0
    heard_ns: int = 0
    online_ns: int | None = None
    offline_ns: int = 0
    new_key: bytes | None = field(default=None, repr=False)
    keys: list[bytes] = field(default_factory=list, repr=False)
    newest_key: bytes = field(default=b"", repr=False)
    other_key_ns: int = 0
    install_until_ns: int | None = None
    is_keyed: bool = False
    described: str = ""
    admits: deque[Admit] = field(default_factory=deque)

    def begin(self, panel: Panel, now: Moment) -> None:
        """Talk to it from the start."""
        panel.enable(self.index)
        self.enabled_ns = self.heard_ns = self.offline_ns = now.mono_ns

    def rest(self, panel: Panel, now: Moment, rest_ms: int) -> None:
        """Leave it alone for a while."""
        panel.flush(self.index)
        panel.disable(self.index)
        self.enabled_ns = None
        self.online_ns = None
        self.rest_ns = now.mono_ns + rest_ms * NS_PER_MS

    def came_online(self, now: Moment) -> list[Observation]:
        """Its secure channel stands, under a key of its own."""
        self.online_ns = self.heard_ns = now.mono_ns
        return self.presence.back(now)

    def only_key(self, now: Moment) -> list[Observation]:
        """Know which of two keys it has, because its secure channel stands under the first."""
        if len(self.keys) == 1:
            return []
        del self.keys[1:]
        if self.keys[0] == self.newest_key:
            return [Observation(self.presence.device, Seen.REKEYED, now)]
        return [refused(self.presence.device, now, KEEPS_KEY)]

    def dropped(self, panel: Panel, now: Moment) -> list[Observation]:
        """Its session ended; libosdp would wait 300 s, so it is begun again at once."""
        if self.online_ns is not None:
            self.offline_ns = now.mono_ns
        self.rest(panel, now, CYCLE_MS)
        return self.refuse_admits(now)

    def wants_other_key(self, now: Moment) -> bool:
        """Whether a session that did not begin is worth the other of two keys; not too often."""
        if len(self.keys) == 1 or now.mono_ns < self.other_key_ns:
            return False
        self.other_key_ns = now.mono_ns + OTHER_KEY_MS * NS_PER_MS
        self.keys.reverse()
        return True

    def refuse_admits(self, now: Moment) -> list[Observation]:
        """Nothing promised is carried out later."""
        said = [refused(self.presence.device, now, "lost") for _ in self.admits]
        self.admits.clear()
        if self.new_key is not None:
            self.keys.append(self.new_key)
            self.newest_key, self.new_key = self.new_key, None
            said.append(refused(self.presence.device, now, EITHER_KEY))
        return said

    def confirmed(self, now: Moment, *, is_ok: bool) -> list[Observation]:
        """The oldest admission was carried out, or was not."""
        if not self.admits:
            return []
        self.admits.popleft()
        if is_ok:
            return [Observation(self.presence.device, Seen.ADMITTED, now)]
        return [refused(self.presence.device, now, "output not driven")]

    def rekeyed(self, now: Moment, *, is_ok: bool) -> list[Observation]:
        """The new key was taken, or was not."""
        new_key, self.new_key = self.new_key, None
        if new_key is None:
            return []
        if is_ok:
            self.keys = [new_key]
            return [Observation(self.presence.device, Seen.REKEYED, now)]
        return [refused(self.presence.device, now, KEEPS_KEY)]

    def open_window(self, panel: Panel, now: Moment, for_s: int) -> list[Observation]:
        """Take the well-known key for a while, and begin with it at once."""
        for_s = min(for_s, INSTALL_S_MAX)
        self.install_until_ns = now.mono_ns + for_s * NS_PER_S
        self.is_keyed = False
        panel.set_installing(self.index, self.address, is_open=True)
        self.rest(panel, now, CYCLE_MS)
        return [Observation(self.presence.device, Seen.INSTALL_OPENED, now, value=str(for_s))]

    def close_window(self, panel: Panel, now: Moment, reason: str) -> list[Observation]:
        """Take it no more, and end what began with it."""
        if self.install_until_ns is None:
            return []
        self.install_until_ns = None
        panel.set_installing(self.index, self.address, is_open=False)
        if self.online_ns is None:
            self.rest(panel, now, CYCLE_MS)
        return [Observation(self.presence.device, Seen.INSTALL_CLOSED, now, value=reason)]

    def time_passed(self, panel: Panel, now: Moment) -> list[Observation]:
        """Decide whether to begin, to rest, or to give up."""
        if self.install_until_ns is not None and now.mono_ns >= self.install_until_ns:
            return self.close_window(panel, now, "time")
        if self.enabled_ns is None:
            if now.mono_ns >= self.rest_ns:
                self.begin_again(panel, now)
            return self._maybe_lost(panel, now)
        if self.online_ns is not None:
            return self._maybe_silent(panel, now)
        unanswered = panel.unanswered_count(self.address) >= UNANSWERED_COUNT_MAX
        if unanswered or now.mono_ns - self.enabled_ns >= HANDSHAKE_MS_MAX * NS_PER_MS:
            self.rest(panel, now, REST_MS)
        return self._maybe_lost(panel, now)

    def begin_again(self, panel: Panel, now: Moment) -> None:
        """Talk to it after a rest; since when it is off-line stays as it was."""
        offline_ns = self.offline_ns
        self.begin(panel, now)
        self.offline_ns = offline_ns

    def look_ns(self, now: Moment) -> int:
        """When libosdp is to be given time again for this reader."""
        due_ns = self.heard_ns + POLL_DUE_MS * NS_PER_MS
        tick_ns = now.mono_ns + TICK_MS * NS_PER_MS
        if self.online_ns is None or tick_ns < due_ns:
            return tick_ns
        late_ns = now.mono_ns + POLL_LATE_TICK_MS * NS_PER_MS
        is_missed = now.mono_ns - due_ns >= TICK_MS * NS_PER_MS  # its turn comes after others'
        return tick_ns if is_missed else max(due_ns, late_ns)

    def _maybe_silent(self, panel: Panel, now: Moment) -> list[Observation]:
        silence_ns = now.mono_ns - self.heard_ns
        if (
            silence_ns < SILENCE_MS_MAX * NS_PER_MS
            or panel.unanswered_count(self.address) < UNANSWERED_COUNT_MAX
        ):
            return []
        said = self.dropped(panel, now)
        return said + self.presence.lost(now, panel.garbage.reason("silent"))

    def _maybe_lost(self, panel: Panel, now: Moment) -> list[Observation]:
        if now.mono_ns - self.offline_ns < GRACE_MS * NS_PER_MS:
            return []
        return self.presence.lost(now, panel.garbage.reason("no secure channel"))
