-- The markets that occur in the series' price snapshots; the index returns each once.
SELECT DISTINCT market_ticker FROM kalshi_price_snapshot WHERE market_ticker >= :prefix AND market_ticker < :prefix_end
