-- The markets that the price snapshots of the series name; the index gives each once.
SELECT DISTINCT market_ticker FROM kalshi_price_snapshot WHERE market_ticker >= :prefix AND market_ticker < :prefix_end
