"""Says in words what runs and statements hold: rules, reasons, roundings, states."""

from agreed.money import yuan
from agreed.words import say
from cloud.settlement.running import RESTATED, RunLine
from cloud.settlement.waterfall import BANK


def rule_word(rule: str) -> str:
    """Say which rule a line of a run follows, and of what: a team, a pool, a wager."""
    words = {
        "opening": say("opening"),
        "fulfilment": say("fulfilment"),
        "adjustment": say("adjustment"),
        "supply": say("supplies"),
        "return": say("returns"),
        "deduction": say("deduction"),
        "payable": say("payable"),
        "unfunded": say("not funded"),
        "waterfall": say("waterfall"),
        "piece": say("pieces by the plan"),
        "tier": say("tiers"),
        "accelerator": say("accelerator"),
        "cap": say("cap"),
        "floor": say("floor"),
        "override": say("override"),
        "pool": say("bonus pool"),
        "draw": say("draw"),
        "bonus": say("middle bonus"),
        "wager": say("wager"),
        "claimed": say("owed, deducted later"),
        "release": say("stake given back"),
    }
    name, _, subject = rule.partition(":")
    if name == RESTATED:
        month, _, of_rule = subject.partition("/")
        return say("{month} restated: {rule}", month=month, rule=rule_word(of_rule))
    word = words.get(name, name)
    return f"{word} · {subject}" if subject else word


def nothing_word(nothing: str) -> str:
    """Say why a plan's line is zero."""
    words = {
        "no_work": say("no decided node of this person falls into the month"),
        "no_score": say("all nodes were missed, or too late to count"),
        "no_rate": say("none of the nodes pays"),
        "refunded": say("every order was refunded in full"),
        "no_profit": say("the orders left no new profit"),
        "no_orders": say("no order of the team is due"),
        "not_passed_on": say("no task went on to the team"),
        "in_dead_band": say("too near the target to move money"),
        "already_paid": say("earlier months paid it"),
        "not_funded": say("the escrow does not hold the stakes"),
        "on_target": say("earned more than is guaranteed"),
    }
    return words.get(nothing, nothing)


def over_word(over: str) -> str:
    """Say why a wager's stakes go back."""
    words = {
        "term": say("the wager is over"),
        "withdrawn": say("the plan does not hold the wager any more"),
    }
    return words.get(over, over)


def rounding_word(rounding: str) -> str:
    """Say how whole fen came about."""
    words = {
        "exact": say("exact"),
        "half_even": say("rounded half to even"),
        "largest_remainder": say("largest remainder"),
        "down": say("rounded down"),
    }
    return words.get(rounding, rounding)


def why(line: RunLine) -> str:
    """Say what stands beside a line's formula: its reason when it is zero, and its rounding."""
    said = []
    if "nothing" in line.inputs:
        said.append(nothing_word(line.inputs["nothing"]))
    if "rounding" in line.inputs:
        said.append(rounding_word(line.inputs["rounding"]))
    for name, word in (
        ("refunded", say("refunded")),
        ("changed", say("later records changed")),
    ):
        if name in line.inputs:
            orders = ", ".join(line.inputs[name])
            more = line.inputs[f"{name}_count"] - len(line.inputs[name])
            said.append(f"{word}: {orders}" + (f" +{more}" if more else ""))
    if line.inputs.get("why"):
        said.append(over_word(line.inputs["why"]))
    if line.inputs.get("carried_forward_fen"):
        carried = yuan(line.inputs["carried_forward_fen"])
        said.append(say("{amount} yuan are carried forward", amount=carried))
    return " · ".join(said)


def status_word(status: str) -> str:
    """Say how far a run is."""
    words = {
        "previewed": say("previewed"),
        "reviewed": say("reviewed"),
        "approved": say("approved"),
        "posted": say("posted"),
        "paid": say("paid out"),
        "discarded": say("discarded"),
    }
    return words[status]


def step_word(status: str) -> str:
    """Say what leads to a status."""
    words = {
        "previewed": say("draw it up again"),
        "reviewed": say("review: somebody looks at every line"),
        "approved": say("approve"),
        "posted": say("post it and close the month"),
        "paid": say("pay it out"),
    }
    return words[status]


def empty_word(emptiness: str) -> str:
    """Say why a month's statement has no lines."""
    words = {
        "no_account": say("Nothing was ever earned or booked here, so there is no account yet."),
        "pool_short": say(
            "Something was earned, but the commission pool does not hold enough: see below. "
            "It is paid once the pool is funded: duifu cloud ledger fund pool FEN --key KEY"
        ),
        "too_old": say("What was decided belongs to a month closed long ago: a person decides."),
        "all_missed": say("Every promised step was missed, and a missed step pays nothing."),
        "nothing_pays": say("Steps were decided, but none of them pays: see below."),
        "all_open": say("Steps were promised in this month, but none of them is decided yet."),
        "no_promises": say(
            "No order promised a step of this person in this month, and the plan pays nothing else."
        ),
        "no_plan": say(
            "No order promised a step of this person in this month, and no plan is in force, so "
            "that only the packs' piece rates pay."
        ),
        "nothing_moved": say("Nothing belonging to this month moved this account."),
    }
    return words[emptiness]


def stake_word(amount_fen: int, other: str) -> str:
    """Say what happened to a stake in escrow, by its sign and the other account."""
    if amount_fen > 0:
        return say("put in")
    return say("given back") if other == BANK.name else say("lost to the company")
