"""What a plan says, in sentences: everything it does to money, with its numbers."""

from agreed.money import yuan
from agreed.words import say
from cloud.settlement.bands import Band, TierMode
from cloud.settlement.plans import Plan
from cloud.settlement.terms import BonusPool, Draw, PoolBasis
from cloud.settlement.wagers import Measure, Mode, Side, Wager


def prose(plan: Plan) -> list[str]:
    """Say what a plan does, in the language in force; one sentence or two for each rule."""
    return [
        *_scope(plan),
        *_waterfall(plan),
        *_pieces(plan),
        *_bounds(plan),
        *_team(plan),
        *_management(plan),
        *_deductions(plan),
        *(sentence for wager in plan.wagers for sentence in _wager(wager)),
    ]


def percent(rate_bp: int) -> str:
    """Write basis points as percent without needless zeros: 1250 as 12.5 %."""
    whole, rest = divmod(rate_bp, 100)
    return f"{whole}.{rest:02d}".rstrip("0").rstrip(".") + " %"


def _scope(plan: Plan) -> list[str]:
    if plan.site:
        text = say(
            "“{zh}” ({en}) holds at site {site} from {month} on, until a newer version takes over.",
            zh=plan.name_zh,
            en=plan.name_en,
            site=plan.site,
            month=plan.from_period,
        )
        return [text]
    return [
        say(
            "“{zh}” ({en}) holds from {month} on, at every site without a plan of its own, until a"
            " newer version takes over.",
            zh=plan.name_zh,
            en=plan.name_en,
            month=plan.from_period,
        )
    ]


def _waterfall(plan: Plan) -> list[str]:
    of = plan.waterfall
    platform = (
        say("what each pack says goes to platform and tax")
        if of.platform_bp is None
        else say("{share} goes to the platform", share=percent(of.platform_bp))
    )
    found = [
        say(
            "Of an order's income the supplier is paid first, {platform}, {tax} to tax; what"
            " remains is new profit.",
            platform=platform,
            tax=percent(of.tax_bp),
        ),
        say(
            "New profit is shared: the company keeps {retained}, the senior wager gets {wager},"
            " the middle bonus {bonus}, the front line {front}, the care fund {care}. The fen that"
            " do not divide go to the largest remainders. (Benefit sharing is reconstructed: that"
            " instalment of the source is lost. The rates are this company's own.)",
            retained=percent(of.retained_bp),
            wager=percent(of.senior_wager_bp),
            bonus=percent(of.middle_bonus_bp),
            front=percent(of.front_line_bp),
            care=percent(of.care_fund_bp),
        ),
    ]
    if of.income_from:
        packs = ", ".join(of.income_from)
        found.append(say("Only income from these packs is shared: {packs}.", packs=packs))
    return found


def _pieces(plan: Plan) -> list[str]:
    found = [
        say(
            "Each node pays its piece rate × quantity × quality factor; base wages are never"
            " touched."
        )
    ]
    found += [
        say(
            "Node {node} of pack {pack} pays {yuan} yuan at full score, instead of what the pack"
            " says.",
            node=rate.node,
            pack=rate.pack,
            yuan=yuan(rate.rate_fen),
        )
        for rate in plan.rates
    ]
    if plan.quality is None:
        found.append(say("The quality factor is the fulfilment score."))
    else:
        points = ", ".join(
            f"{percent(p.score_bp)} → {percent(p.factor_bp)}" for p in plan.quality.points
        )
        found.append(
            say("The quality factor follows the score in straight lines: {points}.", points=points)
        )
    for split in plan.splits:
        shares = ", ".join(f"{s.role} {percent(s.share_bp)}" for s in split.shares)
        found.append(
            say(
                "A crew at node {node} of pack {pack} shares its pay: {shares}.",
                node=split.node,
                pack=split.pack,
                shares=shares,
            )
        )
    return found


def _bounds(plan: Plan) -> list[str]:
    found = []
    if plan.tiers:
        bands = ", ".join(_band(band) for band in plan.tiers.bands)
        text = (
            say(
                "Each band's rate applies to the part of a month's pieces within it: {bands} yuan.",
                bands=bands,
            )
            if plan.tiers.mode is TierMode.MARGINAL
            else say(
                "The rate of the band reached applies from the first yuan: {bands} yuan.",
                bands=bands,
            )
        )
        found.append(text)
    if plan.accelerator:
        found.append(
            say(
                "What lies above {target} yuan of pieces a month earns {extra} more.",
                target=yuan(plan.accelerator.target_fen),
                extra=percent(plan.accelerator.extra_bp),
            )
        )
    if plan.cap_fen is not None:
        cap = yuan(plan.cap_fen)
        found.append(say("Pay by pieces is capped at {cap} yuan a month.", cap=cap))
    if plan.floor_fen is not None:
        floor = yuan(plan.floor_fen)
        text = say("Who did something gets at least {floor} yuan a month by pieces.", floor=floor)
        found.append(text)
    return found


def _band(band: Band) -> str:
    end = "∞" if band.to_fen is None else yuan(band.to_fen)
    return f"[{yuan(band.from_fen)}, {end}) × {percent(band.rate_bp)}"


def _team(plan: Plan) -> list[str]:
    found = [_pool(pool) for pool in plan.pools]
    if plan.override:
        share = percent(plan.override.share_bp)
        text = say(
            "A leader gets {share} of what the rest of the team earns by pieces.", share=share
        )
        found.insert(0, text)
    if plan.carved_out:
        segments = ", ".join(plan.carved_out)
        found.append(
            say(
                "Orders of these residents never lower a team's figures: {segments}.",
                segments=segments,
            )
        )
    return found


def _pool(pool: BonusPool) -> str:
    basis = {
        PoolBasis.HEADS: say("by head"),
        PoolBasis.PIECES: say("by pieces done"),
        PoolBasis.SCORE: say("by pieces × score"),
    }[pool.basis]
    return say(
        "Bonus pool “{zh}” ({en}): {share} of the front line's share, divided {basis} and by"
        " weight: {weights}.",
        zh=pool.name_zh,
        en=pool.name_en,
        share=percent(pool.share_bp),
        basis=basis,
        weights=", ".join(f"{role} {weight}" for role, weight in pool.weights),
    )


def _management(plan: Plan) -> list[str]:
    if plan.middle_bonus is None:
        return []
    terms = plan.middle_bonus
    return [
        say(
            "A team's manager gets {base} yuan × orders on time in full ÷ {target} (at most {cap})"
            " × share of tasks passed on, as far as the middle bonus reaches.",
            base=yuan(terms.base_fen),
            target=percent(terms.target_bp),
            cap=percent(terms.cap_bp),
        )
    ]


def _deductions(plan: Plan) -> list[str]:
    found = [_draw(draw) for draw in plan.draws]
    found.append(
        say(
            "All deductions of a month together take at most {cap} of its commission, leave the"
            " minimum wage and never touch base pay; the rest is carried forward.",
            cap=percent(plan.recovery.cap_bp),
        )
    )
    if plan.recovery.takes_back_refunded:
        found.append(say("An order that was refunded in full pays nothing."))
    return found


def _draw(draw: Draw) -> str:
    values = {"role": draw.role, "yuan": yuan(draw.guaranteed_fen)}
    if draw.is_recoverable:
        return say(
            "{role} is advanced what is missing to {yuan} yuan a month, and repays it from later"
            " earnings.",
            **values,
        )
    return say("{role} is given what is missing to {yuan} yuan a month, and keeps it.", **values)


def _wager(wager: Wager) -> list[str]:
    measure = {Measure.NEW_PROFIT: say("new profit"), Measure.INCOME: say("income")}[wager.measure]
    targets = ", ".join(f"{t.period} {yuan(t.target_fen)}" for t in wager.targets)
    names = {"zh": wager.name_zh, "en": wager.name_en, "senior": wager.senior}
    found = [
        say(
            "Wager “{zh}” ({en}) between the company and {senior}, on {measure}, counted"
            " together: {targets} yuan.",
            measure=measure,
            targets=targets,
            **names,
        )
    ]
    if wager.mode is Mode.COMPENSATION:
        down = yuan(wager.down_fen)
        found.append(say("A shortfall is made good in proportion, at most {down} yuan.", down=down))
    else:
        found.append(
            say(
                "Beyond {band} yuan of difference {part} of it moves; the company pays at most {up}"
                " yuan, {senior} at most {down} yuan, both from funded escrow.",
                band=yuan(wager.dead_band_fen),
                part=percent(wager.participation_bp),
                up=yuan(wager.up_fen),
                down=yuan(wager.down_fen),
                senior=wager.senior,
            )
        )
    back = (
        say("What was paid flows back when later months turn.")
        if wager.gives_back
        else say("What was paid stays paid when later months turn.")
    )
    sides = {Side.COMPANY: say("company"), Side.SENIOR: say("senior manager")}
    signed = ", ".join(f"{s.who} ({sides[s.side]})" for s in wager.signatures)
    return [*found, back, say("Signed by {signed}.", signed=signed)]
