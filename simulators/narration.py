"""What is happening now, in words for the progress bar."""

from collections.abc import Mapping
from typing import Final

from agreed.directives import CodeAction
from agreed.words import marked, say
from simulators.cast import GATES, Cast
from simulators.day import Act, Visit

_GATES: Final = dict(zip(GATES, (marked("the north gate"), marked("the south gate")), strict=True))
_BY_CODE: Final = {
    CodeAction.START: marked("{who} starts {order}"),
    CodeAction.FINISH: marked("{who} finishes {order}; it is accepted"),
    CodeAction.DEPOSIT: marked("{who} puts {order} into the locker"),
    CodeAction.COLLECT: marked("{who} collects {order}"),
}


class Narrator:
    """Turns acts into sentences; workers have names, residents are not named."""

    def __init__(self, cast: Cast) -> None:
        self._names: Mapping[str, str] = {w.id: w.name for w in cast.everyone_working()}
        self._foreign = frozenset(cast.foreign_cards)

    def sentence(self, visit: Visit, act: Act) -> str:
        """Say what one person does now."""
        who = self._names.get(visit.person) or say("a resident")
        if act.action is not None:
            return say(_BY_CODE[act.action], who=who, order=act.order)
        if act.device not in _GATES:
            return say("a foreign code at the kiosk")
        if act.text in self._foreign:
            return say("a foreign card at {gate}", gate=say(_GATES[act.device]))
        return say("{who} at {gate}", who=who, gate=say(_GATES[act.device]))


def clock_text(of_day_ms: int) -> str:
    """Write a time of day, hours and minutes."""
    minutes = of_day_ms // 60_000
    return f"{minutes // 60:02d}:{minutes % 60:02d}"
