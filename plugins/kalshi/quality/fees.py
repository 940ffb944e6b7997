"""What a trade costs on Kalshi.

According to the fee schedule (https://kalshi.com/docs/kalshi-fee-schedule.pdf), a taker of C contracts at the price P
pays 0.07 * C * P * (1 - P), rounded up to the next cent; if makers pay, a quarter of that. The series has a
``fee_type`` and a ``fee_multiplier``; Kalshi's OpenAPI 3.34 (Series.fee_type) defines the types.
"""

from __future__ import annotations

from decimal import ROUND_UP, Decimal

TAKER = Decimal("0.07")
MAKER_SHARES = {
    "quadratic": Decimal(0),
    "quadratic_with_maker_fees": Decimal("0.25"),
    "quadratic_with_combo_maker_fees": Decimal("0.5"),
}
CENT = Decimal("0.01")


def fee(
    fee_type: str | None,
    multiplier: Decimal | None,
    price: Decimal,
    contracts: Decimal = Decimal(1),
    *,
    is_maker: bool,
) -> Decimal | None:
    """The fee of a trade in dollars; None if the fee type has no known formula ("flat", or a new one)."""
    if fee_type not in MAKER_SHARES or multiplier is None:
        return None
    share = MAKER_SHARES[fee_type] if is_maker else Decimal(1)
    return (TAKER * share * multiplier * contracts * price * (1 - price)).quantize(CENT, rounding=ROUND_UP)
