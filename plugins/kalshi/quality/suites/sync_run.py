"""What is expected of ``kalshi_sync_run``: that the jobs of the series ran of late."""

from kalshi.quality.suites.suite import Suite, over

SUITE = Suite("kalshi_sync_run", "sync", {}, over("syncs", "sync_fresh", "sync_punctual"))
