"""Why a statement line says what it says, in words and with its numbers put in."""

from collections.abc import Iterable

from agreed.limits import BASIS_POINTS
from agreed.money import yuan
from agreed.words import say
from cloud.dashboards.formats import exact_yuan, percent, seconds
from cloud.database.views import Counts, LineView
from cloud.settlement.reasons import Reason


def line_word(line: LineView) -> str:
    """Say what kind of line it is, and whether it is in the books."""
    if line.kind == "reversal":
        return say("taken back")
    words = {
        "posted": say("posted"),
        "held": say("waiting for the pool"),
        "nothing": say("nothing to pay"),
        "withdrawn": say("withdrawn"),
        "manual": say("waiting for a decision"),
    }
    return words.get(line.status, line.status)


def score_words(reason: Reason) -> str:
    """Derive the score of a node from its deviation, tolerance and hard limit."""
    score = percent(reason.score_bp)
    if reason.verdict == "missed":
        return say("{score}: not done before the hard limit", score=score)
    if reason.verdict == "undecidable":
        return say("{score}: the clock cannot decide, so it pays as kept", score=score)
    if reason.verdict == "late":
        return _late_words(reason, score)
    if reason.score_bp > BASIS_POINTS:
        return say("{score}: in time, and credit for being early", score=score)
    return say("{score}: within the tolerance", score=score)


def pay_words(line: LineView) -> str:
    """Derive the amount: piece rate x score, then rounded to whole fen."""
    reason = line.reason
    exact = exact_yuan(reason.quantity * reason.rate_fen, reason.score_bp)
    rounded = yuan(abs(line.amount_fen))
    pieces = f"{reason.quantity} × " if reason.quantity > 1 else ""
    formula = f"{pieces}{yuan(reason.rate_fen)} × {percent(reason.score_bp)} = {exact}"
    if exact != rounded:
        formula += " → " + say("{amount}, rounded to whole fen, half to even", amount=rounded)
    if line.amount_fen < 0:
        formula += " → " + say("taken back: {amount}", amount=yuan(line.amount_fen))
    return formula


def posted(lines: Iterable[LineView]) -> int:
    """Sum what is in the books, in fen."""
    return sum(line.amount_fen for line in lines if line.status == "posted")


def totals(counts: Counts) -> int:
    """Count all promises."""
    return counts.open + counts.kept + counts.late + counts.missed + counts.undecidable


def _late_words(reason: Reason, score: str) -> str:
    if reason.score_bp == 0:
        return say("{score}: proven, but after the hard limit", score=score)
    numbers = {
        "hard": seconds(reason.hard_ms),
        "deviation": seconds(reason.deviation_ms),
        "tolerance": seconds(reason.tolerance_ms),
    }
    fraction = "({hard} - {deviation}) ÷ ({hard} - {tolerance})".format_map(numbers)
    return say(
        "{fraction} = {score}: seconds left to the hard limit ÷ seconds from tolerance to it",
        fraction=fraction,
        score=score,
    )
