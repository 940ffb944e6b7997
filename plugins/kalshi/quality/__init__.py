"""Looks at the warehouse: coverage, expectation suites, backtest readiness. Changes no data of others."""
