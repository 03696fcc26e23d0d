"""What all tests share: how hypothesis draws, and the language a process begins with."""

import os
from collections.abc import Iterator

import pytest
from hypothesis import settings

from agreed.words import LANGUAGES, language

# The same examples every time, so that a red run is red for everybody; a machine under load is
# no failure. HYPOTHESIS_PROFILE=explore draws new ones, for campaigns.
settings.register_profile("repeat", deadline=None, derandomize=True)
settings.register_profile("explore", deadline=None, max_examples=10_000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "repeat"))


@pytest.fixture(autouse=True)
def _begin_in_chinese() -> Iterator[None]:
    """Give every test the language that a process begins with, whatever the one before chose."""
    language.set(LANGUAGES[0])
    yield
    language.set(LANGUAGES[0])
