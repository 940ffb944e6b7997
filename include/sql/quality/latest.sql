-- Say of the rows of {table} about the given markets, each by its {key}, whether a later run has looked again. Of two
-- runs at the same time the one with the higher number counts, whichever ends first.
UPDATE {table} c
JOIN (
  SELECT market_ticker, {key}, MAX(run_id) AS run_id
  FROM {table}
  WHERE market_ticker IN :markets AND {batch}
  GROUP BY market_ticker, {key}
) latest ON latest.market_ticker = c.market_ticker AND latest.{key} = c.{key}
SET c.is_latest = c.run_id = latest.run_id, c.updated_at_utc = c.updated_at_utc
