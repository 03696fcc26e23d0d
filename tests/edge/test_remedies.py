"""A sentence about the settings speaks the reader's language."""

from collections.abc import Mapping
from pathlib import Path

import pytest
from pydantic import ValidationError

from agreed.words import language
from edge.config import BoxSettings
from edge.remedies import settings_sentence

PATH = Path("box.toml")


def sentence(table: Mapping[str, object]) -> str:
    with pytest.raises(ValidationError) as caught:
        BoxSettings.model_validate(table)
    return settings_sentence(PATH, caught.value)


def test_places_are_counted_from_one_and_families_left_out() -> None:
    token = language.set("en")
    table = {
        "company": "a",
        "site": "b",
        "box": "c",
        "data": "d",
        "headquarters": {"url": "mqtt://h"},
        "line": [{"family": "locker_cu16", "port": "/a", "devices": [{"name": "L"}]}],
    }
    assert sentence(table).startswith("box.toml: line[1].devices[1].name may only hold a-z")
    language.reset(token)


def test_chinese_comes_first() -> None:
    assert "company" in sentence({})
    assert "缺少" in sentence({})
