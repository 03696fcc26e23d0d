"""What a person reads: Chinese first, English by switch, no message without translation."""

from collections.abc import Iterator

import pytest

from agreed.words import LANGUAGES, RemedyError, catalogue, language, say, say_count


@pytest.fixture(autouse=True)
def _language() -> Iterator[None]:
    token = language.set("en")
    yield
    language.reset(token)


def test_chinese_comes_first() -> None:
    assert LANGUAGES[0] == "zh"


def test_english_needs_no_catalogue() -> None:
    assert say("A gate is {state}.", state="open") == "A gate is open."
    assert say_count("{count} box", "{count} boxes", 2) == "2 boxes"


def test_a_message_without_values_keeps_its_braces() -> None:
    assert say("{") == "{"


def test_every_room_adds_to_one_catalogue() -> None:
    language.set("zh")
    assert say("Headquarters: ingest, verdicts, pay, pages.") != (
        "Headquarters: ingest, verdicts, pay, pages."
    )
    assert catalogue("zh") is catalogue("zh")


def test_a_remedy_is_an_error_for_a_person() -> None:
    assert str(RemedyError("Do this.")) == "Do this."
