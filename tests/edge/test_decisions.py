"""Whatever a device says fits into a record."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agreed.limits import TEXT_BYTES_MAX
from agreed.records import check_text
from edge.decisions import fit, keyed_digest


@given(st.text())
def test_any_text_fits_after_fitting(text: str) -> None:
    fitted = fit(text)
    check_text("text", fitted)
    assert fit(fitted) == fitted


@pytest.mark.parametrize(
    ("text", "expected"),
    [("lost", "lost"), ("", ""), ("a\nb\x7f", "ab"), ("楼" * 30, "楼" * (TEXT_BYTES_MAX // 3))],
)
def test_fitting_keeps_whole_characters(text: str, expected: str) -> None:
    assert fit(text) == expected


def test_a_digest_depends_on_the_box() -> None:
    assert keyed_digest(b"a")("x") == keyed_digest(b"a")("x")
    assert keyed_digest(b"a")("x") != keyed_digest(b"b")("x")
    assert len(keyed_digest(b"a")("x")) == 16
