"""The expectations for ``kalshi_sync_run``: the jobs of the series ran recently."""

from kalshi.quality.suites.suite import Suite, over

SUITE = Suite("kalshi_sync_run", "sync", over("syncs", "sync_fresh", "sync_punctual"))
