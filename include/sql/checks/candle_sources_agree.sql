-- If a minute has candles from both sources, their trade prices and volumes agree.
SELECT api.market_ticker, api.bucket_start_utc, api.trade_open AS api_open, made.trade_open AS trades_open,
  api.trade_high AS api_high, made.trade_high AS trades_high, api.trade_low AS api_low,
  made.trade_low AS trades_low, api.trade_close AS api_close, made.trade_close AS trades_close,
  api.volume AS api_volume, made.volume AS trades_volume
FROM {batch} AS made
JOIN kalshi_candle_1m api ON api.market_ticker = made.market_ticker
  AND api.bucket_start_utc = made.bucket_start_utc AND api.source = 'api_event'
WHERE made.source = 'trades' AND NOT (api.trade_open <=> made.trade_open AND api.trade_high <=> made.trade_high
  AND api.trade_low <=> made.trade_low AND api.trade_close <=> made.trade_close AND api.volume <=> made.volume)
