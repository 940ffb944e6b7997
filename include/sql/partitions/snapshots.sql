-- The price snapshots in the window.
SELECT * FROM kalshi_price_snapshot
WHERE market_ticker IN :markets AND snapshot_at_utc >= :start AND snapshot_at_utc < :end
