"""The expectations for ``kalshi_reconciliation``: settled markets are proven by the exchange's own volume."""

from kalshi.quality.suites.suite import Suite, over

SUITE = Suite("kalshi_reconciliation", "reconciliation", over("reconciliations", "reconciliation_proven"))
