"""Every example on the page about time is run, and no public function goes without one."""

import doctest
import inspect
import re
from pathlib import Path
from types import ModuleType

import pytest

from agreed import anchors, timeline

PAGE = Path(__file__).parents[2] / "docs/time.md"


def test_every_example_gives_what_the_page_says() -> None:
    result = doctest.testfile(str(PAGE), module_relative=False)
    assert result.attempted > 25
    assert result.failed == 0


@pytest.mark.parametrize("module", [anchors, timeline], ids=str)
def test_every_public_function_has_an_example(module: ModuleType) -> None:
    examples = doctest.DocTestParser().get_examples(PAGE.read_text(encoding="utf-8"))
    called = set(re.findall(r"\b(\w+)\(", " ".join(example.source for example in examples)))
    functions = {
        name
        for name, function in inspect.getmembers(module, inspect.isfunction)
        if function.__module__ == module.__name__ and not name.startswith("_")
    }
    assert functions <= called
