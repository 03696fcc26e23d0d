"""Pay of the front line from its pieces: tiers, accelerator, cap, floor, override, bonus pools."""

from collections import defaultdict
from collections.abc import Iterable, Mapping

from agreed.limits import BASIS_POINTS
from agreed.money import scaled, split
from cloud.settlement.bands import half_even, parts, tiered_fen
from cloud.settlement.facts import Team
from cloud.settlement.pieces import Gathered, Work
from cloud.settlement.plans import Plan
from cloud.settlement.results import Line, Nothing, Rounding, Rule
from cloud.settlement.terms import BonusPool, PoolBasis
from cloud.settlement.waterfall import POOL, commission


def by_person(gathered: Gathered, people: Iterable[str]) -> dict[str, Work]:
    """Add up the seats of each person, and name those who did nothing."""
    found: dict[str, Work] = {worker: Work() for worker in people}
    for seat, work in gathered.items():
        found.setdefault(seat.worker, Work()).add(work)
    return found


def person_lines(plan: Plan, worker: str, work: Work) -> list[Line]:
    """Pay one person once, however many roles: pieces, then tiers, accelerator, cap and floor.

    Source: mission, M1, Formulas, Commission.
    """
    base_fen = work.piece_fen
    lines = [_piece(worker, work)]
    if plan.tiers and base_fen:
        text = " + ".join(f"{fen} × {bp} bp" for fen, bp in parts(plan.tiers, base_fen))
        fen = tiered_fen(plan.tiers, base_fen)
        how = f"({text}) ÷ 10000 = {fen}; {fen} − {base_fen} = {fen - base_fen} fen"
        lines.append(_moved(worker, Rule.TIER, fen - base_fen, how, {"earned_fen": base_fen}))
    if plan.accelerator and base_fen > plan.accelerator.target_fen:
        target_fen, extra_bp = plan.accelerator.target_fen, plan.accelerator.extra_bp
        fen = scaled_up(base_fen - target_fen, extra_bp)
        how = f"({base_fen} − {target_fen}) × {extra_bp} bp ÷ 10000 = {fen} fen"
        inputs = {"earned_fen": base_fen, "target_fen": target_fen, "extra_bp": extra_bp}
        lines.append(_moved(worker, Rule.ACCELERATOR, fen, how, inputs))
    lines = [line for line in lines if line.amount_fen or line.rule is Rule.PIECE]
    return lines + _bounded(plan, worker, work, sum(line.amount_fen for line in lines))


def override_lines(plan: Plan, gathered: Gathered, teams: Iterable[Team]) -> list[Line]:
    """Pay each leader a part of what the rest of the team earned by pieces."""
    if plan.override is None:
        return []
    earned: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for seat, work in gathered.items():
        earned[seat.team][seat.worker] += work.piece_fen
    lines = []
    for team in sorted((t for t in teams if t.leader), key=lambda t: t.team):
        base_fen = sum(fen for worker, fen in earned[team.team].items() if worker != team.leader)
        share_bp = plan.override.share_bp
        fen = scaled(base_fen, share_bp)
        lines.append(
            Line(
                Rule.OVERRIDE,
                POOL,
                commission(team.leader),
                team.team,
                fen,
                f"{base_fen} fen × {share_bp} bp ÷ 10000 = {fen} fen",
                {"team_fen": base_fen, "share_bp": share_bp},
                Rounding.HALF_EVEN,
                None if fen else Nothing.NO_WORK,
            )
        )
    return lines


def pool_lines(plan: Plan, gathered: Gathered, front_line_fen: int) -> list[Line]:
    """Divide each bonus pool exactly among those who have a claim on it."""
    lines: list[Line] = []
    for pool in plan.pools:
        pool_fen = scaled(max(0, front_line_fen), pool.share_bp)
        weights = {w: weight for w, weight in _weights(pool, gathered).items() if weight}
        if not weights or not pool_fen:
            continue
        total = sum(weights.values())
        for worker, fen in split(pool_fen, weights).items():
            lines.append(
                Line(
                    Rule.POOL,
                    POOL,
                    commission(worker),
                    pool.key,
                    fen,
                    f"{pool_fen} fen × {weights[worker]} ÷ {total} = {fen} fen",
                    {"pool_fen": pool_fen, "weight": weights[worker], "weights": total},
                    Rounding.LARGEST_REMAINDER,
                    None if fen else Nothing.NO_PROFIT,
                )
            )
    return lines


def scaled_up(amount_fen: int, rate_bp: int) -> int:
    """Take a rate that may exceed 10,000 bp, rounded half to even."""
    return half_even(amount_fen * rate_bp, BASIS_POINTS)


def _piece(worker: str, work: Work) -> Line:
    return Line(
        Rule.PIECE,
        POOL,
        commission(worker),
        "",
        work.piece_fen,
        f"Σ {work.nodes} = {work.piece_fen} fen",
        {"nodes": work.nodes},
        Rounding.EXACT,
        None if work.piece_fen else _why_none(work),
    )


def _why_none(work: Work) -> Nothing:
    if not work.nodes:
        return Nothing.NO_WORK
    if work.refunded == work.nodes:
        return Nothing.REFUNDED
    return Nothing.NO_SCORE if work.rated else Nothing.NO_RATE


def _bounded(plan: Plan, worker: str, work: Work, earned_fen: int) -> list[Line]:
    inputs = {"earned_fen": earned_fen}
    if plan.cap_fen is not None and earned_fen > plan.cap_fen:
        fen = plan.cap_fen - earned_fen
        how = f"{plan.cap_fen} − {earned_fen} = {fen} fen"
        return [_moved(worker, Rule.CAP, fen, how, inputs | {"cap_fen": plan.cap_fen})]
    if plan.floor_fen is not None and work.pieces and earned_fen < plan.floor_fen:
        fen = plan.floor_fen - earned_fen
        how = f"{plan.floor_fen} − {earned_fen} = {fen} fen"
        return [_moved(worker, Rule.FLOOR, fen, how, inputs | {"floor_fen": plan.floor_fen})]
    return []


def _moved(worker: str, rule: Rule, fen: int, how: str, inputs: Mapping[str, int]) -> Line:
    rounding = Rounding.EXACT if rule in {Rule.CAP, Rule.FLOOR} else Rounding.HALF_EVEN
    return Line(rule, POOL, commission(worker), "", fen, how, inputs, rounding)


def _weights(pool: BonusPool, gathered: Gathered) -> dict[str, int]:
    of_role = dict(pool.weights)
    weights: dict[str, int] = defaultdict(int)
    heads: set[tuple[str, str]] = set()
    for seat, work in gathered.items():
        weight = of_role.get(seat.role, 0)
        if pool.basis is PoolBasis.HEADS:
            is_new = work.pieces > 0 and (seat.worker, seat.role) not in heads
            heads |= {(seat.worker, seat.role)} if is_new else set()
            weights[seat.worker] += weight * is_new
        else:
            is_by_pieces = pool.basis is PoolBasis.PIECES
            weights[seat.worker] += weight * (work.pieces if is_by_pieces else work.score_bp)
    return weights
