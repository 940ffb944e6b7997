-- Every minute of a market's life. All times are UTC; prices are dollars, counts are contracts.

-- kalshi_candle_1m_dense: every minute of a market's life: its candle, or the last quotes carried forward
--   has_trade: whether anything was traded in the minute
CREATE TABLE IF NOT EXISTS kalshi_candle_1m_dense (
  market_ticker    VARCHAR(120) NOT NULL,
  bucket_start_utc DATETIME(6)  NOT NULL COMMENT 'the start of the minute',
  source           VARCHAR(16)  NULL COMMENT 'the source of the minute''s candle, api_event before trades; null if it has none',
  is_synthetic     BOOLEAN      NOT NULL COMMENT 'no candle: the quotes are carried forward and nothing was traded',
  has_trade        BOOLEAN      NOT NULL,
  yes_bid_open     DECIMAL(10,6) NULL COMMENT 'if the quote did not change, all four are its last close; null before the first quote',
  yes_bid_high     DECIMAL(10,6) NULL,
  yes_bid_low      DECIMAL(10,6) NULL,
  yes_bid_close    DECIMAL(10,6) NULL,
  yes_ask_open     DECIMAL(10,6) NULL,
  yes_ask_high     DECIMAL(10,6) NULL,
  yes_ask_low      DECIMAL(10,6) NULL,
  yes_ask_close    DECIMAL(10,6) NULL,
  trade_open       DECIMAL(10,6) NULL COMMENT 'null in a minute without trades, like the next four',
  trade_high       DECIMAL(10,6) NULL,
  trade_low        DECIMAL(10,6) NULL,
  trade_close      DECIMAL(10,6) NULL,
  trade_mean       DECIMAL(10,6) NULL,
  trade_previous   DECIMAL(10,6) NULL COMMENT 'the last trade before this minute, as far as known',
  volume           DECIMAL(20,2) NOT NULL COMMENT '0 in a minute without trades',
  open_interest    DECIMAL(20,2) NULL COMMENT 'carried forward like the quotes',
  run_id           BIGINT UNSIGNED NOT NULL,
  updated_at_utc   DATETIME(6)  NOT NULL DEFAULT CURRENT_TIMESTAMP(6) ON UPDATE CURRENT_TIMESTAMP(6),
  PRIMARY KEY (market_ticker, bucket_start_utc),
  CONSTRAINT kalshi_candle_1m_dense_market FOREIGN KEY (market_ticker) REFERENCES kalshi_market (market_ticker)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
