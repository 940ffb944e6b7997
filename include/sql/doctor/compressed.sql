-- How many tables of the warehouse are compressed.
SELECT COUNT(*) FROM information_schema.tables
WHERE table_schema = DATABASE() AND create_options LIKE '%COMPRESS%'
