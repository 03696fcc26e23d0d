"""Charts as SVG from the server: fluid in width, readable by number and by shape.

Horizontal positions are percentages and vertical ones pixels, so that a chart fills any width
while its text keeps its size.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from markupsafe import Markup, escape

from agreed.promises import Verdict
from agreed.words import say
from cloud.dashboards import formats, wording
from cloud.dashboards.formats import HOUR_MS

_PLOT_TOP: Final = 12
_PLOT_HEIGHT: Final = 180
_STACK: Final = (
    Verdict.KEPT,
    Verdict.UNDECIDABLE,
    Verdict.LATE,
    Verdict.MISSED,
    Verdict.OPEN,
)
_TEXTURES: Final = Markup(
    '<defs><pattern id="p-late" width="6" height="6" patternUnits="userSpaceOnUse" '
    'patternTransform="rotate(45)"><rect width="6" height="6" class="c-late"/>'
    '<rect width="1.6" height="6" class="c-gap"/></pattern>'
    '<pattern id="p-missed" width="6" height="6" patternUnits="userSpaceOnUse">'
    '<rect width="6" height="6" class="c-missed"/><path d="M0 0l6 6M6 0l-6 6" class="c-cut"/>'
    '</pattern><pattern id="p-undecidable" width="6" height="6" patternUnits="userSpaceOnUse">'
    '<rect width="6" height="6" class="c-undecidable"/><circle cx="3" cy="3" r="1.2" '
    'class="c-gap"/></pattern></defs>'
)
_TICK_STEPS_MS: Final = tuple(
    minutes * 60_000
    for minutes in (1, 2, 5, 10, 15, 30, 60, 120, 180, 360, 720, 1440, 2880, 10080, 43200)
)


@dataclass(frozen=True, slots=True)
class Hour:
    """Promises that fall into one hour, by verdict."""

    starts_at_ms: int
    counts: Mapping[Verdict, int]

    @property
    def total(self) -> int:
        """Count them all."""
        return sum(self.counts.values())


@dataclass(frozen=True, slots=True)
class Lane:
    """One promised node in time.

    Attributes:
        actual_at_ms: None if nothing is seen.
        unknown_ms: for an open node the time whose records have not arrived yet, half-open and
            up to now; None for a decided one.
    """

    opens_at_ms: int
    promised_at_ms: int
    tolerance_ms: int
    hard_ms: int
    actual_at_ms: int | None
    bound_ms: int
    verdict: Verdict
    unknown_ms: tuple[int, int] | None = None


@dataclass(frozen=True, slots=True)
class Axis:
    """The stretch of time that a lane shows, ms since the epoch."""

    start_ms: int
    stop_ms: int

    @property
    def is_short(self) -> bool:
        """Whether times of day are enough to tell its ticks apart."""
        return self.stop_ms - self.start_ms <= 36 * HOUR_MS

    def x(self, at_ms: int) -> float:
        """Place a moment, in percent of the width, within what is shown."""
        share = (at_ms - self.start_ms) * 100 / (self.stop_ms - self.start_ms)
        return min(max(share, 0), 100)

    def ticks(self) -> list[int]:
        """Choose at most five round local times, none so near the ends that it would be cut."""
        length = self.stop_ms - self.start_ms
        step = next((s for s in _TICK_STEPS_MS if length / s <= 4), _TICK_STEPS_MS[-1])
        offset = formats.local(self.start_ms).utcoffset() or timedelta()
        offset_ms = int(offset.total_seconds()) * 1000
        first = (self.start_ms + offset_ms) // step * step - offset_ms
        ticks = [first + i * step for i in range(min(length // step + 2, 64))]
        return [at_ms for at_ms in ticks if 4 <= self.x(at_ms) <= 96]


def hours(columns: Sequence[Hour], now_ms: int) -> Markup:
    """Draw promises by hour, stacked by verdict, with the present as a line."""
    top = nice_top(max((hour.total for hour in columns), default=0))
    width = 100 / max(len(columns), 1)
    drawn = [_TEXTURES, *_grid(top)]
    every = _label_every(len(columns))
    for place, hour in enumerate(columns):
        drawn.append(_stack(hour, place * width, width, top))
        if place % every == 0:
            label = f"{formats.local(hour.starts_at_ms):%H}"
            drawn.append(_text(place * width + width / 2, _PLOT_TOP + _PLOT_HEIGHT + 20, label))
    drawn.append(_now_line(columns, now_ms, width))
    axis = Markup("").join(_y_label(top, part) for part in (0, 1, 2))
    height = _PLOT_TOP + _PLOT_HEIGHT + 28
    return Markup(
        '<div class="plot"><svg class="chart" height="{height}" aria-hidden="true">{axis}</svg>'
        '<svg class="chart" height="{height}" role="img" aria-label="{label}">{drawn}</svg></div>'
    ).format(height=height, axis=axis, label=_spoken(columns), drawn=Markup("").join(drawn))


def bar(amount: int, most: int) -> Markup:
    """Draw one amount as a bar; the number beside it says the rest."""
    share = 0 if most <= 0 else min(abs(amount) * 100 / most, 100)
    return Markup(
        '<svg class="chart" height="14" aria-hidden="true"><rect class="c-track" width="100%" '
        'height="14" rx="3"/><rect class="{kind}" width="{share:.2f}%" height="14" rx="3"/></svg>'
    ).format(kind="c-minus" if amount < 0 else "c-money", share=share)


def axes(rows: Sequence[Lane]) -> list[Axis]:
    """Give the lanes of an order one axis, unless that would crush the shortest of them."""
    ends = [_ends(row) for row in rows]
    if ends:
        whole = (min(start for start, _ in ends), max(stop for _, stop in ends))
        if whole[1] - whole[0] <= 3 * min(stop - start for start, stop in ends):
            ends = [whole] * len(ends)
    margins = [max((stop - start) // 24, 60_000) for start, stop in ends]
    return [Axis(s - m, e + m) for (s, e), m in zip(ends, margins, strict=True)]


def lane(row: Lane, axis: Axis) -> Markup:
    """Draw a promised window, its tolerance and hard limit, and what happened with its bound."""
    promised, grace = row.promised_at_ms, row.promised_at_ms + row.tolerance_ms
    hard = row.promised_at_ms + row.hard_ms
    drawn = [
        _band("l-slack", axis, grace, hard),
        _band("l-window", axis, row.opens_at_ms, promised),
        _band("l-grace", axis, promised, grace),
        _line("l-promised", axis.x(promised), 8, 40),
        _line("l-hard", axis.x(hard), 8, 40),
    ]
    if row.unknown_ms is not None:
        drawn.append(_unknown(axis, *row.unknown_ms))
    if row.actual_at_ms is not None:
        drawn.append(_actual(axis, row, row.actual_at_ms))
    for at_ms in axis.ticks():
        label = formats.minute(at_ms) if axis.is_short else f"{formats.local(at_ms):%m-%d}"
        drawn.extend((_line("c-base", axis.x(at_ms), 44, 48), _text(axis.x(at_ms), 63, label)))
    return Markup(
        '<svg class="chart lane" height="68" aria-hidden="true">'
        '<line class="c-base" x1="0" x2="100%" y1="44" y2="44"/>{drawn}</svg>'
    ).format(drawn=Markup("").join(drawn))


def nice_top(most: int) -> int:
    """Give the smallest even number of 2, 4, 6, 8, 10, 20, … that holds `most`."""
    scale = 1
    while True:
        for step in (2, 4, 6, 8):
            if most <= step * scale:
                return step * scale
        scale *= 10
        if most <= scale:
            return scale


def _ends(row: Lane) -> tuple[int, int]:
    ends = [row.opens_at_ms, row.promised_at_ms + row.hard_ms]
    if row.actual_at_ms is not None:
        ends.append(row.actual_at_ms)
    return min(ends), max(ends)


def _actual(axis: Axis, row: Lane, at_ms: int) -> Markup:
    first, last = (axis.x(at_ms + sign * row.bound_ms) for sign in (-1, 1))
    whisker = Markup('<line class="l-bound" x1="{:.3f}%" x2="{:.3f}%" y1="24" y2="24"/>').format(
        first, last
    )
    shape = Markup(wording.SHAPES[wording.VERDICT_NAMES[row.verdict]])  # noqa: S704 - constants
    return whisker + Markup(
        '<svg x="{:.3f}%" y="24" overflow="visible" width="1" height="1">'
        '<g transform="translate(-9 -9) scale(1.125)">{}</g></svg>'
    ).format(axis.x(at_ms), shape)


def _unknown(axis: Axis, from_ms: int, now_ms: int) -> Markup:
    left = axis.x(from_ms)
    drawn = Markup(
        '<rect class="l-unknown" x="{:.3f}%" width="{:.3f}%" y="36" height="8"/>'
    ).format(left, max(axis.x(now_ms) - left, 0))
    is_shown = axis.start_ms < now_ms < axis.stop_ms
    return drawn + (_line("c-now", axis.x(now_ms), 4, 44) if is_shown else Markup(""))


def _band(kind: str, axis: Axis, start_ms: int, stop_ms: int) -> Markup:
    left = axis.x(start_ms)
    return Markup(
        '<rect class="{}" x="{:.3f}%" width="{:.3f}%" y="14" height="20" rx="2"/>'
    ).format(kind, left, max(axis.x(stop_ms) - left, 0))


def _line(kind: str, x: float, top: int, bottom: int) -> Markup:
    return Markup('<line class="{}" x1="{:.3f}%" x2="{:.3f}%" y1="{}" y2="{}"/>').format(
        kind, x, x, top, bottom
    )


def _text(x: float, y: int, text: str) -> Markup:
    return Markup('<text x="{:.3f}%" y="{}" text-anchor="middle">{}</text>').format(
        x, y, escape(text)
    )


def _grid(top: int) -> list[Markup]:
    lines = []
    for part in (0, 1, 2):
        y = _PLOT_TOP + _PLOT_HEIGHT * (2 - part) // 2
        kind = "c-base" if part == 0 else "c-grid"
        lines.append(
            Markup('<line class="{}" x1="0" x2="100%" y1="{}" y2="{}"/>').format(kind, y, y)
        )
    assert top > 0
    return lines


def _y_label(top: int, part: int) -> Markup:
    y = _PLOT_TOP + _PLOT_HEIGHT * (2 - part) // 2 + 5
    return Markup('<text x="100%" y="{}" text-anchor="end">{}</text>').format(y, top * part // 2)


def _stack(hour: Hour, left: float, width: float, top: int) -> Markup:
    drawn = []
    base = float(_PLOT_TOP + _PLOT_HEIGHT)
    for verdict in _STACK:
        count = hour.counts.get(verdict, 0)
        height = count * _PLOT_HEIGHT / top
        if count:
            drawn.append(
                Markup('<rect {} x="{:.3f}%" width="{:.3f}%" y="{:.2f}" height="{:.2f}"/>').format(
                    _fill(verdict),
                    left + width * 0.14,
                    width * 0.72,
                    base - height,
                    max(height - 1, 1),
                )
            )
        base -= height
    title = f"{formats.minute(hour.starts_at_ms)} · " + " · ".join(
        f"{wording.verdict_word(v)} {hour.counts.get(v, 0)}" for v in _STACK if hour.counts.get(v)
    )
    return Markup("<g><title>{}</title>{}</g>").format(title, Markup("").join(drawn))


def _fill(verdict: Verdict) -> Markup:
    name = wording.VERDICT_NAMES[verdict]
    if name in {"late", "missed", "undecidable"}:
        return Markup('fill="url(#p-{})"').format(name)
    return Markup('class="c-{}"').format(name)


def _label_every(count: int) -> int:
    """Leave room for the labels on the narrowest screen."""
    return next((every for every in (1, 2, 3, 4, 6, 12) if count / every <= 8), 24)


def _now_line(columns: Sequence[Hour], now_ms: int, width: float) -> Markup:
    if not columns:
        return Markup("")
    x = (now_ms - columns[0].starts_at_ms) / HOUR_MS * width
    if not 0 <= x <= 100:
        return Markup("")
    return _line("c-now", x, _PLOT_TOP - 8, _PLOT_TOP + _PLOT_HEIGHT)


def _spoken(columns: Sequence[Hour]) -> str:
    totals = {v: sum(hour.counts.get(v, 0) for hour in columns) for v in _STACK}
    numbers = ", ".join(f"{wording.verdict_word(v)} {totals[v]}" for v in _STACK)
    return say("Promises by hour and verdict: {numbers}", numbers=numbers)
