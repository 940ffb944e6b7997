"""The expectations for ``kalshi_event``, and for the markets of an event as a whole."""

from kalshi.quality.suites.suite import over, suite_of
from kalshi.warehouse.catalog import EVENT

SUITE = suite_of(
    EVENT,
    "event",
    *over("events", "event_has_series", "event_described", "event_strikes_cover", "event_one_yes", "event_without_gap"),
)
