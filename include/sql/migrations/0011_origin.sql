-- Which exchange and which API keys a warehouse accepts data from. All times are UTC.

-- Official hosts of one environment are the same exchange, so they have one name now.
UPDATE IGNORE kalshi_exchange SET exchange = 'https://external-api.kalshi.com/trade-api/v2', updated_at_utc = updated_at_utc
WHERE exchange = 'https://api.elections.kalshi.com/trade-api/v2';
UPDATE IGNORE kalshi_exchange SET exchange = 'https://external-api.demo.kalshi.co/trade-api/v2', updated_at_utc = updated_at_utc
WHERE exchange = 'https://demo-api.kalshi.co/trade-api/v2';
DELETE FROM kalshi_exchange
WHERE exchange IN ('https://api.elections.kalshi.com/trade-api/v2', 'https://demo-api.kalshi.co/trade-api/v2');

-- kalshi_exchange: the exchanges that the warehouse accepts data from, and whether it is synthetic
ALTER TABLE kalshi_exchange
  MODIFY exchange VARCHAR(190) NOT NULL COMMENT 'its base URL, the recommended one of an official environment; for a synthetic exchange, the name in its header X-Synthetic-Exchange',
  MODIFY first_seen_at_utc DATETIME(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6) COMMENT 'when a DAG run first read from it, or python -m kalshi accept was run',
  MODIFY run_id BIGINT UNSIGNED NOT NULL COMMENT 'the latest run that read from it; 0: accepted by hand and not read since';

-- kalshi_account_key: the API keys whose portfolio the warehouse accepts: keys of one account
CREATE TABLE IF NOT EXISTS kalshi_account_key (
  key_id            VARCHAR(190) NOT NULL COMMENT 'the id, never the key itself',
  first_seen_at_utc DATETIME(6)  NOT NULL DEFAULT CURRENT_TIMESTAMP(6) COMMENT 'when a portfolio sync first read with it, or python -m kalshi accept was run',
  run_id            BIGINT UNSIGNED NOT NULL COMMENT 'the first run that read with it; 0: accepted by hand',
  updated_at_utc    DATETIME(6)  NOT NULL DEFAULT CURRENT_TIMESTAMP(6) ON UPDATE CURRENT_TIMESTAMP(6),
  PRIMARY KEY (key_id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
