-- The server's estimate of each table's rows and size; exact counts would be slow.
SELECT table_name AS name, table_rows AS row_estimate, ROUND((data_length + index_length) / 1048576, 1) AS megabytes
FROM information_schema.tables
WHERE table_schema = DATABASE() AND table_type = 'BASE TABLE' AND table_name LIKE 'kalshi!_%' ESCAPE '!'
ORDER BY table_rows DESC, table_name
LIMIT 100
