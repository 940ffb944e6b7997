-- The markets that occur in the series' candles; the index returns each once.
SELECT DISTINCT market_ticker FROM kalshi_candle_1m WHERE market_ticker >= :prefix AND market_ticker < :prefix_end
