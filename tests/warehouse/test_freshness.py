"""The view kalshi_freshness."""

from __future__ import annotations

import sqlalchemy as sa

from kalshi.warehouse import ledger


def verdicts(connection: sa.Connection) -> dict[str, str]:
    return {row.table_name: row.verdict for row in connection.execute(sa.text("SELECT * FROM kalshi_freshness"))}


def test_freshness_passes_warns_and_fails_by_the_age_of_the_last_good_run(warehouse_on_both: sa.Engine) -> None:
    finished = "UPDATE kalshi_sync_run SET state = :state, ended_at_utc = UTC_TIMESTAMP(6) - INTERVAL :m MINUTE"
    with warehouse_on_both.begin() as connection:
        assert set(verdicts(connection).values()) == {"fail"}, "nothing ever ran"
        ledger.start_run(connection, ledger.RunKey("trades", "KXHIGHNY"))
        for minutes, state, verdict in (
            (1, "success", "pass"),
            (119, "warning", "pass"),
            (130, "success", "warn"),
            (400, "success", "fail"),
            (1, "failed", "fail"),
        ):
            connection.execute(sa.text(finished), {"state": state, "m": minutes})
            assert verdicts(connection)["kalshi_trade"] == verdict, (minutes, state)
        assert verdicts(connection)["kalshi_market"] == "fail", "each table by its own job"


def test_freshness_follows_the_series_that_is_furthest_behind(warehouse: sa.Engine) -> None:
    end = sa.text("UPDATE kalshi_sync_run SET state = :state, ended_at_utc = UTC_TIMESTAMP(6) WHERE run_id = :run_id")
    with warehouse.begin() as connection:
        for series, state in (("KXGOOD", "success"), ("KXBAD", "failed")):
            run_id = ledger.start_run(connection, ledger.RunKey("trades", series))
            connection.execute(end, {"run_id": run_id, "state": state})
        assert verdicts(connection)["kalshi_trade"] == "fail"
        connection.execute(end, {"run_id": run_id, "state": "warning"})
        assert verdicts(connection)["kalshi_trade"] == "pass"
        connection.exec_driver_sql(
            "INSERT INTO kalshi_sync_run (job, scope, state, started_at_utc) "
            "VALUES ('trades', 'KXGONE', 'failed', UTC_TIMESTAMP(6) - INTERVAL 9 DAY)"
        )
        assert verdicts(connection)["kalshi_trade"] == "pass", "a series that nobody asks for any more doesn't count"
