"""Turns what was decided into the columns of a block, without an object for each record."""

from collections.abc import Sequence
from itertools import chain
from operator import attrgetter
from typing import Final, NamedTuple

import numpy as np

from agreed.limits import WALL_MS_MAX
from agreed.records import TEXT_COLUMNS, Int32s, Int64s, RecordColumns, RecordError
from edge.clock import Stamp
from edge.decisions import Draft, fit


class Together(NamedTuple):
    """Records of one moment; at least one draft."""

    drafts: tuple[Draft, ...]
    stamp: Stamp


def draft_columns(first_sequence: int, groups: Sequence[Together]) -> RecordColumns:
    """Number the drafts and write them as columns; texts that do not fit are made to.

    Args:
        first_sequence: of the first draft, >= 1.
        groups: in order; at least one.

    Raises:
        RecordError: a time is out of its range.
    """
    drafts = list(chain.from_iterable(group.drafts for group in groups))
    counts = [len(group.drafts) for group in groups]
    stamps = [group.stamp for group in groups]
    if len(groups) == len(drafts):
        counts = []  # each alone: nothing is to be repeated
    states = np.frombuffer(bytes([stamp.clock_state for stamp in stamps]), np.uint8)
    return RecordColumns(
        first_sequence,
        _spread("mono_ns", [stamp.mono_ns for stamp in stamps], counts, 2**62),
        _spread("wall_ms", [stamp.wall_ms for stamp in stamps], counts, WALL_MS_MAX),
        _spread("bound_ms", [stamp.bound_ms for stamp in stamps], counts, WALL_MS_MAX),
        np.repeat(states, counts) if counts else states,
        np.frombuffer(bytes([draft.evidence for draft in drafts]), np.uint8),
        {name: _dictionary(list(map(attrgetter(name), drafts))) for name in TEXT_COLUMNS},
    )


def _spread(name: str, values: list[int], counts: list[int], most: int) -> Int64s:
    if min(values) < 0 or max(values) > most:
        raise RecordError(f"{name}: must lie in 0 to {most}")
    once = np.array(values, np.int64)
    return np.repeat(once, counts) if counts else once


_ONE: Final = np.zeros(1, np.int32)
_ONE.flags.writeable = False


def _dictionary(values: list[str]) -> tuple[list[str], Int32s]:
    if len(values) == 1:
        return [fit(values[0])], _ONE  # most blocks of a quiet site
    places: dict[str, int] = {}
    # Only the distinct texts are looked at: a day has few. Two may become one by being fitted.
    numbers = {text: places.setdefault(fit(text), len(places)) for text in dict.fromkeys(values)}
    index = np.fromiter(map(numbers.__getitem__, values), np.int32, len(values))
    return list(places), index
