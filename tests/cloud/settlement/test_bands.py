import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from agreed.limits import AMOUNT_FEN_MAX
from agreed.money import MoneyError, scaled
from agreed.words import language
from cloud.settlement.bands import Tiers, half_even, parts, tiered_fen

THREE = [
    {"from_fen": 0, "to_fen": 10_000, "rate_bp": 10_000},
    {"from_fen": 10_000, "to_fen": 30_000, "rate_bp": 11_000},
    {"from_fen": 30_000, "rate_bp": 12_500},
]


def tiers(bands: list[dict[str, int]], mode: str = "marginal") -> Tiers:
    return Tiers.model_validate({"mode": mode, "bands": bands})


@st.composite
def any_tiers(draw: st.DrawFn) -> Tiers:
    edges = sorted(draw(st.sets(st.integers(1, 1_000_000), max_size=6)))
    starts, ends = [0, *edges], [*edges, None]
    rates = [draw(st.integers(0, 30_000)) for _ in starts]
    bands = [
        {"from_fen": a, "to_fen": b, "rate_bp": rate}
        for a, b, rate in zip(starts, ends, rates, strict=True)
    ]
    return Tiers.model_validate({"bands": bands})


def test_each_part_of_the_earnings_has_the_rate_of_its_band() -> None:
    assert parts(tiers(THREE), 42_000) == [(10_000, 10_000), (20_000, 11_000), (12_000, 12_500)]
    assert tiered_fen(tiers(THREE), 42_000) == 10_000 + 22_000 + 15_000
    assert tiered_fen(tiers(THREE), 0) == 0
    assert tiered_fen(tiers(THREE, "first_yuan"), 29_999) == half_even(29_999 * 11_000, 10_000)
    assert tiered_fen(tiers(THREE, "first_yuan"), 30_000) == 37_500


@given(any_tiers(), st.integers(0, 2_000_000))
def test_marginal_tiers_never_jump_and_never_fall(some: Tiers, earned_fen: int) -> None:
    steepest = max(band.rate_bp for band in some.bands)
    rise = tiered_fen(some, earned_fen + 1) - tiered_fen(some, earned_fen)
    assert 0 <= rise <= -(-steepest // 10_000) + 1
    for band in some.bands[1:]:
        below, at = (tiered_fen(some, band.from_fen + step) for step in (-1, 0))
        assert at - below <= -(-steepest // 10_000) + 1


@pytest.mark.parametrize(
    ("bands", "mode", "named"),
    [
        ([THREE[0], THREE[2]], "marginal", "bands.1.from_fen: no band covers 10000 to 30000"),
        ([THREE[0], THREE[1] | {"from_fen": 9_000}, THREE[2]], "marginal", "bands.1.*overlaps"),
        ([THREE[1], THREE[2]], "marginal", "bands.0.from_fen"),
        (THREE[:2], "marginal", "bands.1.to_fen: leave it out"),
        ([{"from_fen": 0, "rate_bp": 1}, THREE[1], THREE[2]], "marginal", "bands.0.to_fen"),
        ([THREE[0] | {"to_fen": 0}, THREE[2] | {"from_fen": 0}], "marginal", "bands.0.to_fen"),
        ([THREE[0], THREE[1] | {"rate_bp": 9_000}, THREE[2]], "first_yuan", "bands.1.rate_bp"),
        ([], "marginal", "bands"),
    ],
)
def test_bands_that_do_not_tile_name_the_band(
    bands: list[dict[str, int]], mode: str, named: str
) -> None:
    language.set("en")
    with pytest.raises(ValidationError, match=named):
        tiers(bands, mode)


def test_marginal_rates_may_fall() -> None:
    falling = tiers([THREE[0], THREE[1] | {"rate_bp": 5_000}, THREE[2]])
    assert tiered_fen(falling, 20_000) == 15_000


def test_what_is_measured_is_an_amount() -> None:
    for fen in (-1, AMOUNT_FEN_MAX + 1):
        with pytest.raises(MoneyError, match="earned_fen"):
            tiered_fen(tiers(THREE), fen)


@given(st.integers(-(10**12), 10**12), st.integers(0, 20_000))
def test_rounding_is_that_of_the_pieces(amount_fen: int, rate_bp: int) -> None:
    assert half_even(amount_fen * rate_bp, 10_000) == scaled(amount_fen, rate_bp)
