-- The markets that occur in the series' trades; the index returns each once.
SELECT DISTINCT market_ticker FROM kalshi_trade WHERE market_ticker >= :prefix AND market_ticker < :prefix_end
