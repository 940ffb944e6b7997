"""The statistics of calibration, against figures worked out by hand."""

from __future__ import annotations

from decimal import Decimal

import pytest

from kalshi.quality.calibration import BINS, Bin, Quote, Score, bin_of, curve, purchases, wilson


def quote(bid: str, ask: str, markets: int, won: int, fee_type: str | None = "quadratic") -> Quote:
    return Quote(Decimal(bid), Decimal(ask), markets, won, fee_type, Decimal(1))


@pytest.mark.parametrize(
    ("won", "markets", "low", "high"),
    [
        (8, 10, 0.4902, 0.9433),  # E. B. Wilson's own method, as R's prop.test(8, 10, correct = FALSE) gives it
        (0, 10, 0.0, 0.2775),
        (10, 10, 0.7225, 1.0),
        (50, 100, 0.4038, 0.5962),
        (0, 0, 0.0, 1.0),
    ],
)
def test_wilsons_interval_is_right_also_at_the_ends(won: int, markets: int, low: float, high: float) -> None:
    assert wilson(won, markets) == pytest.approx((low, high), abs=5e-5)


@pytest.mark.parametrize(
    ("price", "number"), [("0", 0), ("0.049", 0), ("0.05", 1), ("0.1", 2), ("0.95", 11), ("1", 11)]
)
def test_a_price_on_an_edge_belongs_to_the_bin_above_it_and_a_dollar_to_the_last(price: str, number: int) -> None:
    assert bin_of(Decimal(price)) == number
    assert BINS == 12


def test_the_curve_compares_the_mean_price_of_each_bin_with_the_share_that_won() -> None:
    quotes = [quote("0.20", "0.24", 3, 1), quote("0.26", "0.30", 1, 0), quote("0.90", "0.92", 2, 2)]
    low, high = curve(quotes, "mid")
    assert (low.markets, low.won) == (4, 1)
    assert low.mean_price == pytest.approx((3 * 0.22 + 0.28) / 4)
    assert low.share == 0.25
    assert (high.mean_price, high.share) == pytest.approx((0.91, 1.0))


def test_the_curve_of_bids_and_that_of_asks_sort_the_same_markets_by_other_prices() -> None:
    quotes = [quote("0.08", "0.12", 1, 0)]
    assert [each.edges for each in curve(quotes, "bid")] == [(Decimal("0.05"), Decimal("0.1"))]
    assert [each.edges for each in curve(quotes, "ask")] == [(Decimal("0.1"), Decimal("0.2"))]


def test_buying_at_the_ask_earns_the_share_that_won_less_the_ask_and_a_fee_per_contract() -> None:
    # Fees: 0.07 * 0.24 * 0.76 = 0.0128, rounded up to 0.02; 0.07 * 0.28 * 0.72 = 0.0141, to 0.02 as well.
    (found,) = purchases([quote("0.20", "0.24", 3, 2), quote("0.26", "0.28", 1, 0)])
    assert found.edge == pytest.approx(2 / 4 - (3 * 0.24 + 0.28) / 4)
    assert found.edge_after_fees == pytest.approx(found.edge - 0.02)


def test_without_an_ask_nothing_is_bought_and_an_unknown_fee_is_not_taken_for_none() -> None:
    assert purchases([quote("0.99", "1", 5, 5)]) == []
    (found,) = purchases([quote("0.20", "0.24", 3, 2), quote("0.20", "0.24", 1, 1, fee_type="flat")])
    assert found.edge == pytest.approx(3 / 4 - 0.24)
    assert found.edge_after_fees is None


def test_the_score_of_several_months_is_that_of_all_their_markets() -> None:
    # Prices 0.8 (won) and 0.3 (lost): 0.04 + 0.09; then 0.5 (lost): 0.25.
    score = Score(1, 2, 1, 1.1, 0.13, 0.5798) + Score(1, 1, 0, 0.5, 0.25, 0.6931)
    assert (score.events, score.markets) == (2, 3)
    assert score.mean_price == pytest.approx(1.6 / 3)
    assert score.base_rate == pytest.approx(1 / 3)
    assert score.mean_brier == pytest.approx(0.38 / 3)
    assert score.brier_of_base_rate == pytest.approx(2 / 9)
    assert score.mean_loss == pytest.approx((0.5798 + 0.6931) / 3)


@pytest.mark.parametrize(
    ("markets", "won", "price", "verdict"),
    [
        (100, 50, "30", "price too low"),
        (100, 50, "52", "fits"),
        (100, 50, "80", "price too high"),
        (29, 29, "10", "too few to say"),
    ],
)
def test_a_bin_says_in_words_whether_its_price_fits(markets: int, won: int, price: str, verdict: str) -> None:
    assert Bin(5, markets, won, Decimal(price)).verdict == verdict
