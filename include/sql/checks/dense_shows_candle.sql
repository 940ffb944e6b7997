-- A dense minute matches its candle, preferring the exchange's own over ours; a synthetic minute has none.
SELECT d.market_ticker, d.bucket_start_utc, d.source, d.is_synthetic, d.yes_bid_close, d.yes_ask_close, d.trade_close,
  d.volume, c.source AS candle_source, c.yes_bid_close AS candle_bid, c.yes_ask_close AS candle_ask,
  c.trade_close AS candle_trade, c.volume AS candle_volume
FROM {batch} AS d
LEFT JOIN kalshi_candle_1m c ON c.market_ticker = d.market_ticker AND c.bucket_start_utc = d.bucket_start_utc
  AND (c.source = 'api_event' OR NOT EXISTS (
    SELECT 1 FROM kalshi_candle_1m own WHERE own.market_ticker = d.market_ticker
      AND own.bucket_start_utc = d.bucket_start_utc AND own.source = 'api_event'))
WHERE NOT d.source <=> c.source OR d.is_synthetic <> (c.source IS NULL)
  OR c.source IS NOT NULL AND NOT (d.trade_close <=> c.trade_close AND d.volume = COALESCE(c.volume, 0))
  OR c.source = 'api_event' AND NOT (d.yes_bid_close <=> c.yes_bid_close AND d.yes_ask_close <=> c.yes_ask_close)
