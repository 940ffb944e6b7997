-- The settlements in the window.
SELECT * FROM kalshi_settlement
WHERE series_ticker = :series AND settled_at_utc >= :start AND settled_at_utc < :end
