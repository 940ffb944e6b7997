"""The expectations for the decision times: this run's rows in ``kalshi_decision_coverage``."""

from kalshi.quality.suites.suite import Suite, over

SUITE = Suite("kalshi_decision_coverage", "decision", over("decisions", "decision_quote_known"))
