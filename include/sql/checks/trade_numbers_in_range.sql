-- Trades are priced within 0 and 1 dollar, YES and NO make one dollar, and something was traded.
SELECT trade_id, market_ticker, executed_at_utc, yes_price, no_price, `count`
FROM {batch}
WHERE yes_price NOT BETWEEN 0 AND 1 OR no_price NOT BETWEEN 0 AND 1 OR yes_price + no_price <> 1 OR `count` <= 0
