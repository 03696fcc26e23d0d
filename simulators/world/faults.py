"""How badly a world behaves, drawn from its seed: seeds differ in kind, not only in detail."""

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from typing import Final

SPANS_S: Final = (1_200, 3_600, 14_400, 43_200)
LONG_SPANS_S: Final = (3_600, 14_400, 86_400, 172_800)
"""An hour to two days: what happens is spread over it; for campaigns that count site-years."""

_CALM: Final = 0.15
"""This share of all seeds lacks each kind of fault."""


@dataclass(frozen=True, slots=True)
class Faults:
    """What goes wrong, as shares of what could; times in seconds.

    Attributes:
        span_s: how long the world works before it comes to rest.
        loss, repeat, hold, spoil: of messages.
        hold_s_max: how late a held message comes.
        partition_s_mean: between losses of a connection; likewise the next four.
        box_crash_s_mean, headquarters_crash_s_mean, broker_wipe_s_mean: between ends of each.
        away_s_max: how long a connection or process stays away.
        power_cut: of the ends of a box, those that take what was not synced.
        mid_write: of the ends of a box, those in the middle of a write.
        mid_commit: of the ends of headquarters, those in the middle of a transaction.
        full_s_mean: between times when the card is full.
        step_s_mean: between steps of a box's wall clock.
        forgery_s_mean: between blocks of somebody who has copied the card.
        drift_ppm: of each box's clock, up to.
        commit_s_max: how long headquarters' database takes.
        acts_s_mean: between happenings at a box.
        burst_records_max: records that come together.
    """

    span_s: float
    loss: float
    repeat: float
    hold: float
    spoil: float
    hold_s_max: float
    partition_s_mean: float
    box_crash_s_mean: float
    headquarters_crash_s_mean: float
    broker_wipe_s_mean: float
    away_s_max: float
    power_cut: float
    mid_write: float
    mid_commit: float
    full_s_mean: float
    step_s_mean: float
    forgery_s_mean: float
    drift_ppm: int
    commit_s_max: float
    acts_s_mean: float
    burst_records_max: int


def draw_faults(dice: Random, spans_s: Sequence[int] = SPANS_S) -> Faults:
    """Draw the character of a world, which works for one of these spans."""
    span_s = dice.choice(spans_s)
    never_s = span_s * 1_000.0

    def share(most: float) -> float:
        return 0.0 if dice.random() < _CALM else dice.random() * most

    def times(most: int) -> float:
        return never_s if dice.random() < _CALM else span_s / dice.uniform(0.5, most)

    return Faults(
        span_s=span_s,
        loss=share(0.4),
        repeat=share(0.3),
        hold=share(0.2),
        spoil=share(0.01),
        hold_s_max=dice.choice((3.0, 60.0, span_s / 2)),
        partition_s_mean=times(8),
        box_crash_s_mean=times(6),
        headquarters_crash_s_mean=times(6),
        broker_wipe_s_mean=times(3),
        away_s_max=dice.choice((5.0, 300.0, span_s / 3)),
        power_cut=share(1.0),
        mid_write=share(1.0),
        mid_commit=share(1.0),
        full_s_mean=times(2),
        step_s_mean=times(4),
        forgery_s_mean=times(1) * 2,
        drift_ppm=dice.choice((0, 20, 100)),
        commit_s_max=dice.choice((0.02, 0.5, 4.0)),
        acts_s_mean=span_s / dice.choice((8, 20, 60)),
        burst_records_max=dice.choice((1, 4, 30)),
    )
