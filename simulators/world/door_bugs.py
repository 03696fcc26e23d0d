"""Planted bugs of the front door: the judge must catch each."""

import asyncio
from collections.abc import Mapping
from typing import Any, Final

from agreed.machine import Moment
from agreed.records import Durability
from edge.acceptance import Acceptance
from edge.decisions import Draft


class _TellsEarly(Acceptance):
    """Says that a record is taken before it is on the card."""

    def accept(self, *what: Any, **more: Any) -> "asyncio.Future[bool]":
        taken = super().accept(*what, **more)
        return taken if taken.done() else _said(is_taken=True)


class _TellsAnyway(Acceptance):
    """Says that a record is taken whether or not the journal took it."""

    def accept(self, *what: Any, **more: Any) -> "asyncio.Future[bool]":
        taken = super().accept(*what, **more)
        said = _said()
        taken.add_done_callback(lambda _taken: said.set_result(True))
        return said


class _ForgetsToTell(Acceptance):
    """Ends without a word of what it refused."""

    def accept(self, *what: Any, **more: Any) -> "asyncio.Future[bool]":
        if self.fault is not None:
            return _said(is_taken=False)
        return super().accept(*what, **more)


class _KeepsLate(Acceptance):
    """Keeps beside a record what belongs to the one before."""

    _late: Mapping[str, str | None] | None = None

    def accept(
        self,
        drafts: tuple[Draft, ...],
        at: Moment,
        durability: Durability,
        keep: Mapping[str, str | None] | None = None,
        **more: Any,
    ) -> "asyncio.Future[bool]":
        late, self._late = self._late, keep
        return super().accept(drafts, at, durability, late, **more)


class _CustodyOvertakes(Acceptance):
    """Writes down first what waits for nobody, whatever was taken in before it."""

    def accept(
        self,
        drafts: tuple[Draft, ...],
        at: Moment,
        durability: Durability,
        keep: Mapping[str, str | None] | None = None,
        **more: Any,
    ) -> "asyncio.Future[bool]":
        taken = super().accept(drafts, at, durability, keep, **more)
        if durability is Durability.CUSTODY and not taken.done():
            self._waiting.rotate(1)
        return taken


def _said(*, is_taken: bool | None = None) -> "asyncio.Future[bool]":
    said: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
    if is_taken is not None:
        said.set_result(is_taken)
    return said


DOOR_BUGS: Final[dict[str, type[Acceptance]]] = {
    "tells-early": _TellsEarly,
    "tells-anyway": _TellsAnyway,
    "forgets-to-tell": _ForgetsToTell,
    "keeps-late": _KeepsLate,
    "custody-overtakes": _CustodyOvertakes,
}
"""Every planted bug of the door by the name that the campaign takes."""
