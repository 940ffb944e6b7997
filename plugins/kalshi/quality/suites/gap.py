"""The expectations for ``kalshi_gap``: nothing is known to be missing."""

from kalshi.quality.suites.suite import Suite, over

SUITE = Suite("kalshi_gap", "gap", over("gaps", "gap_filled_in_time", "gap_filled"))
