from collections.abc import Iterator

import pytest

from agreed.words import language


@pytest.fixture(autouse=True)
def english() -> Iterator[None]:
    before = language.set("en")
    yield
    language.reset(before)
