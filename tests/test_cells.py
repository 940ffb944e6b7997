"""Values as people read them in tables."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from kalshi.cells import MINUS, Link, Unit, cell, table

NOON = datetime(2026, 9, 20, 12, 5, 59, tzinfo=UTC)


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (1234567, "", "1,234,567"),
        (-5, "", MINUS + "5"),
        (12.345, "", "12.3"),
        (Decimal("1.50"), "", "1.5"),
        (Decimal("1234.5"), "$", "$1,234.50"),
        (Decimal("-0.006"), "$", MINUS + "$0.01"),
        (Decimal("-0.004"), "$", "$0.00"),
        (0.12345, "score", "0.1235"),
        (Decimal("0.56"), "price", "$0.56"),
        (Decimal("0.5650"), "price", "$0.565"),
        (Decimal(1), "price", "$1.00"),
        (0.1234, "share", "12.3 %"),
        (Decimal("1200.50"), "contracts", "1,200.5"),
        (Decimal("1200.00"), "contracts", "1,200"),
        (Decimal("72.50"), "°F", "72.5 °F"),
        (20260920, "plain", "20260920"),
        (NOON, "", "2026-09-20 12:05"),
        (NOON, "day", "2026-09-20"),
        (date(2026, 9, 20), "", "2026-09-20"),
        (True, "", "yes"),
        (["a", "b"], "", "2"),
        (None, "$", ""),
        ("", "", ""),
        ("65° to 66°", "", "65° to 66°"),
    ],
)
def test_a_value_is_formatted_by_its_type_and_unit(value: Any, unit: Unit, text: str) -> None:
    assert cell(value, unit).text == text


def test_a_loss_is_money_below_zero_and_a_state_is_a_badge() -> None:
    assert cell(Decimal(-1), "$").is_loss
    assert not cell(Decimal(1), "$").is_loss
    assert not cell(Decimal(-1), "contracts").is_loss, "a position of NO is no loss"
    assert cell("failed").badge == "failed"
    assert cell("fails").badge == ""


def test_a_link_keeps_the_format_of_its_value() -> None:
    shown = cell(Link(1234, "/there", badge="warn"))
    assert (shown.text, shown.href, shown.badge, shown.is_number, shown.value) == (
        "1,234",
        "/there",
        "warn",
        True,
        1234,
    )


def test_the_decimal_points_of_a_column_stand_below_each_other() -> None:
    rows: list[list[Any]] = [[Decimal("1.5"), "1.5"], [Decimal(10), "10"], [Decimal("-0.25"), "x"], [None, "y"]]
    shown = table("", ("number", "text"), rows, units=("contracts",))
    texts = [row[0].text for row in shown.rows]
    assert [text.rstrip() for text in texts] == ["1.5", "10", MINUS + "0.25", ""]
    assert len({len(text) - (text.find(".") if "." in text else len(text.rstrip())) for text in texts[:3]}) == 1
    assert [row[1].text for row in shown.rows] == ["1.5", "10", "x", "y"], "text stays as it is"
    assert shown.numbers == {0}


def test_a_column_without_decimals_is_not_widened() -> None:
    assert [row[0].text for row in table("", ("n",), [[1], [1000]]).rows] == ["1", "1,000"]
