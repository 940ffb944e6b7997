"""Decision times."""

from __future__ import annotations

from datetime import datetime

import pytest

from kalshi.settings import load_settings
from kalshi.sync.decisions import decided_at


@pytest.mark.parametrize(
    ("series", "day", "decision", "utc"),
    [
        ("KXHIGHNY", "2026-09-23", "day_before_10", "2026-09-22T14:00"),
        ("KXHIGHNY", "2026-12-01", "day_before_10", "2026-11-30T15:00"),
        ("KXHIGHNY", "2026-11-01", "day_before_10", "2026-10-31T14:00"),
        ("KXHIGHNY", "2026-11-01", "day_10", "2026-11-01T15:00"),
        ("KXHIGHCHI", "2026-03-08", "day_before_10", "2026-03-07T16:00"),
        ("KXHIGHCHI", "2026-03-08", "day_10", "2026-03-08T15:00"),
        ("KXHIGHLAX", "2026-11-02", "day_before_10", "2026-11-01T18:00"),
    ],
)
def test_decision_times_follow_the_clock_changes_of_each_city(series: str, day: str, decision: str, utc: str) -> None:
    settings = load_settings()
    (when,) = [d for d in settings.decision_times if d.name == decision]
    zone = settings.time_zone(series)
    assert zone
    assert decided_at(datetime.fromisoformat(day).date(), when, zone) == datetime.fromisoformat(f"{utc}+00:00")
