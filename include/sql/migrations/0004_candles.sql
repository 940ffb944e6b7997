-- One-minute candles. All times are UTC; prices are dollars, counts are contracts.

-- kalshi_candle_1m: 1-minute candles: quotes, trades, volume and open interest of every minute in which something changed
--   period_minutes: always 1
--   trade_min: the lowest price traded, where the exchange gives it
--   trade_max: the highest price traded, where the exchange gives it
--   volume: contracts traded in the minute
CREATE TABLE IF NOT EXISTS kalshi_candle_1m (
  market_ticker    VARCHAR(120) NOT NULL,
  bucket_start_utc DATETIME(6)  NOT NULL COMMENT 'the start of the minute; the exchange reports its end',
  source           VARCHAR(16)  NOT NULL COMMENT 'api_event: the exchange''s own candles; trades: built from kalshi_trade',
  period_minutes   SMALLINT     NOT NULL,
  yes_bid_open     DECIMAL(10,6) NULL COMMENT 'quotes are null if the source is trades',
  yes_bid_high     DECIMAL(10,6) NULL,
  yes_bid_low      DECIMAL(10,6) NULL,
  yes_bid_close    DECIMAL(10,6) NULL,
  yes_ask_open     DECIMAL(10,6) NULL,
  yes_ask_high     DECIMAL(10,6) NULL,
  yes_ask_low      DECIMAL(10,6) NULL,
  yes_ask_close    DECIMAL(10,6) NULL,
  trade_open       DECIMAL(10,6) NULL COMMENT 'null in a minute without trades, like the next three',
  trade_high       DECIMAL(10,6) NULL,
  trade_low        DECIMAL(10,6) NULL,
  trade_close      DECIMAL(10,6) NULL,
  trade_mean       DECIMAL(10,6) NULL,
  trade_previous   DECIMAL(10,6) NULL COMMENT 'the last trade before this minute, if the exchange reports it',
  trade_min        DECIMAL(10,6) NULL,
  trade_max        DECIMAL(10,6) NULL,
  volume           DECIMAL(20,2) NULL,
  open_interest    DECIMAL(20,2) NULL,
  run_id           BIGINT UNSIGNED NOT NULL,
  updated_at_utc   DATETIME(6)  NOT NULL DEFAULT CURRENT_TIMESTAMP(6) ON UPDATE CURRENT_TIMESTAMP(6),
  PRIMARY KEY (market_ticker, bucket_start_utc, source),
  CONSTRAINT kalshi_candle_1m_market FOREIGN KEY (market_ticker) REFERENCES kalshi_market (market_ticker)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

INSERT IGNORE INTO kalshi_freshness_rule (table_name, job, allowed_lag_minutes) VALUES
  ('kalshi_candle_1m', 'candles', 1800);
