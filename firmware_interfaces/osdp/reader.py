"""One reader as the line's machine sees it: when to talk to it, and what was promised it."""

from collections import deque
from dataclasses import dataclass, field

from agreed.machine import NS_PER_MS, Moment
from firmware_interfaces.observations import Admit, Observation, Seen
from firmware_interfaces.osdp.panel import Panel
from firmware_interfaces.presence import Presence, refused

CYCLE_MS = 150  # libosdp needs this long between disable and enable
REST_MS = 2_000  # a reader that does not answer leaves the line to the others for so long
SILENCE_MS_MAX = 3_000  # an on-line reader that is silent for longer is lost
GRACE_MS = 2_000  # a reader that drops its session and comes back within this was never lost
HANDSHAKE_MS_MAX = 10_000
UNANSWERED_COUNT_MAX = 3
ADMITS_COUNT_MAX = 4  # admissions of one reader that wait for their confirmation


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
    is_tampered: bool = False
    is_rekeying: bool = False
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
        """Its secure channel stands."""
        self.online_ns = self.heard_ns = now.mono_ns
        return self.presence.back(now)

    def dropped(self, panel: Panel, now: Moment) -> list[Observation]:
        """Its session ended; libosdp would wait 300 s, so it is begun again at once."""
        if self.online_ns is not None:
            self.offline_ns = now.mono_ns
        self.rest(panel, now, CYCLE_MS)
        return self.refuse_admits(now)

    def refuse_admits(self, now: Moment) -> list[Observation]:
        """Nothing promised is carried out later."""
        said = [refused(self.presence.device, now, "lost") for _ in self.admits]
        self.admits.clear()
        if self.is_rekeying:
            self.is_rekeying = False
            said.append(refused(self.presence.device, now, "lost; it may have either key"))
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
        if not self.is_rekeying:
            return []
        self.is_rekeying = False
        if is_ok:
            return [Observation(self.presence.device, Seen.REKEYED, now)]
        return [refused(self.presence.device, now, "reader keeps its key")]

    def time_passed(self, panel: Panel, now: Moment) -> list[Observation]:
        """Decide whether to begin, to rest, or to give up."""
        if self.enabled_ns is None:
            if now.mono_ns >= self.rest_ns:
                self.begin_again(panel, now)
            return self._maybe_lost(now)
        if self.online_ns is not None:
            return self._maybe_silent(panel, now)
        unanswered = panel.unanswered_count(self.address) >= UNANSWERED_COUNT_MAX
        if unanswered or now.mono_ns - self.enabled_ns >= HANDSHAKE_MS_MAX * NS_PER_MS:
            self.rest(panel, now, REST_MS)
        return self._maybe_lost(now)

    def begin_again(self, panel: Panel, now: Moment) -> None:
        """Talk to it after a rest; since when it is off-line stays as it was."""
        offline_ns = self.offline_ns
        self.begin(panel, now)
        self.offline_ns = offline_ns

    def _maybe_silent(self, panel: Panel, now: Moment) -> list[Observation]:
        silence_ns = now.mono_ns - self.heard_ns
        if (
            silence_ns < SILENCE_MS_MAX * NS_PER_MS
            or panel.unanswered_count(self.address) < UNANSWERED_COUNT_MAX
        ):
            return []
        said = self.dropped(panel, now)
        return said + self.presence.lost(now, "silent")

    def _maybe_lost(self, now: Moment) -> list[Observation]:
        if now.mono_ns - self.offline_ns < GRACE_MS * NS_PER_MS:
            return []
        return self.presence.lost(now, "no secure channel")
