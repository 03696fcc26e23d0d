"""Every example on the page about promises is run as it stands."""

import doctest
from pathlib import Path


def test_every_example_gives_what_the_page_says() -> None:
    page = Path(__file__).parents[2] / "docs/promises.md"
    result = doctest.testfile(str(page), module_relative=False)
    assert result.attempted > 30
    assert result.failed == 0
