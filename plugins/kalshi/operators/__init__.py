"""Airflow operators: templating, retries, XCom. ``kalshi.sync`` does the work."""
