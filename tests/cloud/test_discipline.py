"""Headquarters asks its kernel how far its clock is right."""

from cloud.discipline import kernel_discipline


def test_the_kernel_answers() -> None:
    assert kernel_discipline().error_us_max >= 0
