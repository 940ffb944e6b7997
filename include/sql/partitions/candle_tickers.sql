-- The markets that the candles of the series name; the index gives each once.
SELECT DISTINCT market_ticker FROM kalshi_candle_1m WHERE market_ticker >= :prefix AND market_ticker < :prefix_end
