-- Between the first and the last window of trades, and of candles, no time was left that no run ever read.
SELECT job, GREATEST(read_until_utc, :start) AS never_read_from_utc, LEAST(window_start_utc, :end) AS never_read_to_utc
FROM {batch}
WHERE job IN ('trades', 'candles') AND window_start_utc > read_until_utc
  AND window_start_utc > :start AND read_until_utc < :end
