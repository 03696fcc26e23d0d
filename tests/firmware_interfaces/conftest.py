"""The language in which the tests of settings read what is refused."""

import pytest

from agreed.words import language


@pytest.fixture(autouse=True)
def _read_english(_begin_in_chinese: None) -> None:
    language.set("en")
