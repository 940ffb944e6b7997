-- The partitions of the table :table, in their order.
SELECT partition_name FROM information_schema.partitions
WHERE table_schema = DATABASE() AND table_name = :table AND partition_name IS NOT NULL
ORDER BY partition_ordinal_position
