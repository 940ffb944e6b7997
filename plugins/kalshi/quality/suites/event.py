"""The expectations for ``kalshi_event``, and for the markets of an event as a whole."""

from kalshi.quality.suites.suite import Suite, over

SUITE = Suite(
    "kalshi_event",
    "event",
    {
        "event_ticker": "varchar key",
        "series_ticker": "varchar",
        "title": "text null",
        "event_date": "date null",
        "strike_date_utc": "datetime null",
        "mutually_exclusive": "tinyint null",
        "is_placeholder": "tinyint",
        "run_id": "bigint",
    },
    over("events", "event_has_series", "event_described", "event_strikes_cover", "event_one_yes", "event_without_gap"),
)
