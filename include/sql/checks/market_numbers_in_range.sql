-- Market prices are between 0 and 1 dollar; volume and open interest are not negative.
SELECT market_ticker, last_price, yes_bid, yes_ask, settlement_value, volume, open_interest
FROM {batch}
WHERE last_price NOT BETWEEN 0 AND 1 OR yes_bid NOT BETWEEN 0 AND 1 OR yes_ask NOT BETWEEN 0 AND 1
  OR settlement_value NOT BETWEEN 0 AND 1 OR volume < 0 OR open_interest < 0
