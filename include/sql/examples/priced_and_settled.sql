-- What did the market price for each bracket of New York's high at 10:00 on the day before, and what settled? Of the
-- latest settled event that was read to its close. `profit`: of one YES bought at the ask, before fees.
SELECT e.event_ticker, e.event_date, m.yes_sub_title AS bracket, q.yes_bid_close AS bid, q.yes_ask_close AS ask,
  s.result AS settled, s.settlement_value - q.yes_ask_close AS profit
FROM kalshi_event e
JOIN kalshi_decision_time d ON d.event_ticker = e.event_ticker AND d.decision = 'day_before_10'
JOIN kalshi_market m ON m.event_ticker = e.event_ticker
JOIN kalshi_settlement s ON s.market_ticker = m.market_ticker
JOIN kalshi_candle_1m_dense q ON q.market_ticker = m.market_ticker AND q.bucket_start_utc = d.decided_at_utc
WHERE e.series_ticker = 'KXHIGHNY' AND e.event_date = (
  SELECT MAX(read_event.event_date)
  FROM kalshi_event read_event
  JOIN kalshi_market closed ON closed.event_ticker = read_event.event_ticker AND closed.result IS NOT NULL
  JOIN kalshi_decision_time early ON early.event_ticker = closed.event_ticker AND early.decision = 'day_before_10'
  JOIN kalshi_candle_1m_dense first ON first.market_ticker = closed.market_ticker
    AND first.bucket_start_utc = early.decided_at_utc
  JOIN kalshi_candle_1m_dense last ON last.market_ticker = closed.market_ticker
    AND last.bucket_start_utc = closed.close_time_utc - INTERVAL 1 MINUTE
  WHERE read_event.series_ticker = 'KXHIGHNY'
)
ORDER BY m.floor_strike
