"""Patterns in the param ``series``."""

from __future__ import annotations

import pytest
from airflow.sdk.exceptions import AirflowFailException

from kalshi.operators.runs import named_series
from kalshi.settings import MOST_TASKS

LISTED = ["KXHIGHNY", "KXHIGHMIA", "KXhigh.x", "KXRAIN"]


def test_a_pattern_stands_for_the_listed_series_that_match_it_in_order_and_once() -> None:
    assert named_series(["KXRAIN", "KXHIGH*", "KXHIGHNY"], lambda: LISTED) == ["KXRAIN", "KXHIGHMIA", "KXHIGHNY"]
    assert named_series(["KXh*"], lambda: LISTED) == ["KXhigh.x"]


def test_nothing_is_asked_for_the_list_without_a_pattern() -> None:
    assert named_series(["KXNEW"], pytest.fail) == ["KXNEW"]
    assert named_series(["*"], pytest.fail) == ["*"]


def test_a_pattern_that_matches_nothing_is_refused() -> None:
    with pytest.raises(AirflowFailException, match="No known series matches KXLOW"):
        named_series(["KXLOW*", "KXHIGH*"], lambda: LISTED)


def test_a_pattern_that_names_too_many_series_is_refused() -> None:
    many = [f"KX{number}" for number in range(MOST_TASKS + 1)]
    assert len(named_series(["KX*"], lambda: many[:-1])) == MOST_TASKS
    with pytest.raises(AirflowFailException, match=f"65 series.*at most {MOST_TASKS}"):
        named_series(["KX*"], lambda: many)
