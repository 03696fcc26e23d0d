"""Says in words whose an account is; its name in the books stands beside it."""

from collections.abc import Mapping

from agreed.words import say


def account_word(names: Mapping[str, str], account: str) -> str:
    """Name an account for a person.

    Args:
        names: of workers, by id.
        account: as in the books: commission:w-07, supplier:clean-co, pool.
    """
    kind, _, whose = account.partition(":")
    name = names.get(whose, whose)
    if not whose:
        return _of_site(account)
    if kind == "escrow":
        wager, _, side = whose.partition(":")
        sides = {"company": say("the company's stake"), "senior": say("the senior's stake")}
        return f"{sides.get(side, side)} · {wager}"
    words = {
        "commission": name,
        "supplier": say("supplier {name}", name=whose),
        "receivable": say("owed by {name}", name=name),
        "unrecovered": say("advance of {name}, fenced", name=name),
        "wage": say("base wage of {name}", name=name),
    }
    return words.get(kind, account)


def _of_site(account: str) -> str:
    words = {
        "residents": say("residents"),
        "company": say("company, outside these books"),
        "bank": say("bank"),
        "income": say("income of orders"),
        "platform": say("platform and tax"),
        "new_profit": say("new profit"),
        "retained": say("profit that the company keeps"),
        "pool": say("commission pool"),
        "unrecovered": say("fenced until it comes back"),
        "wager": say("share for the senior wager"),
        "bonus": say("fund for the middle bonus"),
        "care": say("care fund"),
        "wage_fund": say("wage fund"),
    }
    return words.get(account, account)
