"""What is expected at the moments of decision: ``kalshi_decision_coverage``, as this run wrote it."""

from kalshi.quality.suites.suite import Suite, over

SUITE = Suite("kalshi_decision_coverage", "decision", {}, over("decisions", "decision_quote_known"))
