-- What the markets page sums up for every event is read from the index alone: the rows are wide, and it needs all of them.
-- The foreign key keeps the index `event` for itself, as MySQL doesn't check one whose index goes on with a null column.
ALTER TABLE kalshi_market ADD KEY event_summary (event_ticker, status, close_time_utc, volume);
