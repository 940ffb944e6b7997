-- The markets that the trades of the series name; the index gives each once.
SELECT DISTINCT market_ticker FROM kalshi_trade WHERE market_ticker >= :prefix AND market_ticker < :prefix_end
