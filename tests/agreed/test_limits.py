"""Limits that must hold against each other and against the parts we chose."""

import re

import pytest

from agreed import limits


@pytest.mark.parametrize("name", ["a", "box-1", "x" * 32, "0"])
def test_names_that_are_allowed(name: str) -> None:
    assert re.match(limits.NAME_PATTERN, name)


@pytest.mark.parametrize("name", ["", "-a", "a-", "A", "a b", "a.b", "a/b", "+", "#", "x" * 33])
def test_names_that_would_break_a_topic_are_not(name: str) -> None:
    assert not re.match(limits.NAME_PATTERN, name)


def test_a_message_is_below_the_default_limit_of_the_smallest_broker() -> None:
    # NATS: max_payload is 1 MiB by default, and it also counts its own headers.
    assert limits.MESSAGE_BYTES_MAX + 1024 <= 1024 * 1024
