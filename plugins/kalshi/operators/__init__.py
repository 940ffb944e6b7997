"""Airflow operators: templating, retries, XCom. The work is done in ``kalshi.sync``."""
