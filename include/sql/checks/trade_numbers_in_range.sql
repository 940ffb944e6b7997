-- Trade prices are between 0 and 1 dollar, YES and NO add up to one dollar, and the count is positive.
SELECT trade_id, market_ticker, executed_at_utc, yes_price, no_price, `count`
FROM {batch}
WHERE yes_price NOT BETWEEN 0 AND 1 OR no_price NOT BETWEEN 0 AND 1 OR yes_price + no_price <> 1 OR `count` <= 0
