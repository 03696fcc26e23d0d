"""Says in words what runs and statements hold: rules, reasons, roundings, states."""

from collections.abc import Mapping
from typing import Final

from agreed.money import yuan
from agreed.words import marked, say
from cloud.settlement.running import RESTATED, RunLine
from cloud.settlement.waterfall import BANK

_RULES: Final = {
    "opening": marked("opening"),
    "fulfilment": marked("fulfilment"),
    "adjustment": marked("adjustment"),
    "supply": marked("supplies"),
    "return": marked("returns"),
    "deduction": marked("deduction"),
    "payable": marked("payable"),
    "unfunded": marked("not funded"),
    "waterfall": marked("waterfall"),
    "piece": marked("pieces by the plan"),
    "tier": marked("tiers"),
    "accelerator": marked("accelerator"),
    "cap": marked("cap"),
    "floor": marked("floor"),
    "override": marked("override"),
    "pool": marked("bonus pool"),
    "draw": marked("draw"),
    "bonus": marked("middle bonus"),
    "wager": marked("wager"),
    "claimed": marked("owed, deducted later"),
    "release": marked("stake given back"),
}
_NOTHINGS: Final = {
    "no_work": marked("no decided node of this person falls into the month"),
    "no_score": marked("all nodes were missed, or too late to count"),
    "no_rate": marked("none of the nodes pays"),
    "refunded": marked("every order was refunded in full"),
    "no_profit": marked("the orders left no new profit"),
    "no_orders": marked("no order of the team is due"),
    "not_passed_on": marked("no task went on to the team"),
    "in_dead_band": marked("too near the target to move money"),
    "already_paid": marked("earlier months paid it"),
    "not_funded": marked("the escrow does not hold the stakes"),
    "on_target": marked("earned more than is guaranteed"),
}
_OVERS: Final = {
    "term": marked("the wager is over"),
    "withdrawn": marked("the plan does not hold the wager any more"),
}
_ROUNDINGS: Final = {
    "exact": marked("exact"),
    "half_even": marked("rounded half to even"),
    "largest_remainder": marked("largest remainder"),
    "down": marked("rounded down"),
}
_STATUSES: Final = {
    "previewed": marked("previewed"),
    "reviewed": marked("reviewed"),
    "approved": marked("approved"),
    "posted": marked("posted"),
    "paid": marked("paid out"),
    "discarded": marked("discarded"),
}
_STEPS: Final = {
    "previewed": marked("draw it up again"),
    "reviewed": marked("review: somebody looks at every line"),
    "approved": marked("approve"),
    "posted": marked("post it and close the month"),
    "paid": marked("pay it out"),
}
_EMPTINESSES: Final = {
    "no_account": marked("Nothing was ever earned or booked here, so there is no account yet."),
    "pool_short": marked(
        "Something was earned, but the commission pool does not hold enough: see below. "
        "It is paid once the pool is funded: duifu cloud ledger fund pool FEN --key KEY"
    ),
    "too_old": marked("What was decided belongs to a month closed long ago: a person decides."),
    "all_missed": marked("Every promised step was missed, and a missed step pays nothing."),
    "nothing_pays": marked("Steps were decided, but none of them pays: see below."),
    "all_open": marked("Steps were promised in this month, but none of them is decided yet."),
    "no_promises": marked(
        "No order promised a step of this person in this month, and the plan pays nothing else."
    ),
    "no_plan": marked(
        "No order promised a step of this person in this month, and no plan is in force, so "
        "that only the packs' piece rates pay."
    ),
    "nothing_moved": marked("Nothing belonging to this month moved this account."),
}


def rule_word(rule: str) -> str:
    """Say which rule a line of a run follows, and of what: a team, a pool, a wager."""
    name, _, subject = rule.partition(":")
    if name == RESTATED:
        month, _, of_rule = subject.partition("/")
        return say("{month} restated: {rule}", month=month, rule=rule_word(of_rule))
    word = _word(_RULES, name)
    return f"{word} · {subject}" if subject else word


def nothing_word(nothing: str) -> str:
    """Say why a plan's line is zero."""
    return _word(_NOTHINGS, nothing)


def over_word(over: str) -> str:
    """Say why a wager's stakes go back."""
    return _word(_OVERS, over)


def rounding_word(rounding: str) -> str:
    """Say how whole fen came about."""
    return _word(_ROUNDINGS, rounding)


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
    return _word(_STATUSES, status)


def step_word(status: str) -> str:
    """Say what leads to a status."""
    return _word(_STEPS, status)


def empty_word(emptiness: str) -> str:
    """Say why a month's statement has no lines."""
    return _word(_EMPTINESSES, emptiness)


def stake_word(amount_fen: int, other: str) -> str:
    """Say what happened to a stake in escrow, by its sign and the other account."""
    if amount_fen > 0:
        return say("put in")
    return say("given back") if other == BANK.name else say("lost to the company")


def _word(words: Mapping[str, str], key: str) -> str:
    """Say the word for a key; the key itself where newer software wrote one that is not known."""
    return say(words[key]) if key in words else key
