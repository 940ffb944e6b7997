"""Checks the warehouse: coverage, expectation suites, backtest readiness. Writes only its own tables."""
