-- The months of the tables :tables that were dropped on purpose and lie, at least in part, between :start and :end.
SELECT table_name, month, row_count, dropped_at_utc FROM kalshi_dropped_month
WHERE table_name IN :tables AND month < :end AND month + INTERVAL 1 MONTH > :start
ORDER BY month, table_name
