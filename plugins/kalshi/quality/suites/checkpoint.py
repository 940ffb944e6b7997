"""The expectations for ``kalshi_checkpoint``: every window was read to its end, and none was left out."""

from kalshi.quality.suites.suite import Suite, over

SUITE = Suite("kalshi_checkpoint", "window", over("windows", "window_complete", "window_without_hole"))
