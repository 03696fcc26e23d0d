import pytest

from agreed.words import language
from cloud.dashboards.accounts import account_word
from cloud.database.schema import ACCOUNT_KINDS

NAMES = {"w-07": "李强"}


@pytest.mark.parametrize(
    ("account", "word"),
    [
        ("commission:w-07", "李强"),
        ("commission:w-99", "w-99"),
        ("supplier:clean-co", "supplier clean-co"),
        ("receivable:w-07", "owed by 李强"),
        ("unrecovered:w-07", "advance of 李强, fenced"),
        ("escrow:spring:senior", "the senior's stake · spring"),
        ("wage:w-07", "base wage of 李强"),
        ("pool", "commission pool"),
        ("odd", "odd"),
        ("odd:thing", "odd:thing"),
    ],
)
def test_an_account_is_named_for_a_person(account: str, word: str) -> None:
    language.set("en")
    assert account_word(NAMES, account) == word


def test_every_kind_has_words() -> None:
    language.set("en")
    of_people = {"commission", "supplier", "receivable", "wage", "escrow"}
    for kind in ACCOUNT_KINDS:
        account = f"{kind}:w-07:company" if kind in of_people else kind
        if kind != "outside":
            assert account_word(NAMES, account) != account
