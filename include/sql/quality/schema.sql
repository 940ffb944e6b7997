-- Where the columns of a table, {batch}, differ from those {expected}. MariaDB's JSON is a LONGTEXT.
SELECT expected.column_name, expected.data_type AS expected_type, actual.data_type AS type_there,
  expected.is_nullable AS expected_nullable, actual.is_nullable AS nullable_there, expected.column_key AS expected_key,
  actual.column_key AS key_there
FROM ({expected}) AS expected
LEFT JOIN {batch} AS actual ON actual.column_name = expected.column_name
WHERE actual.column_name IS NULL OR actual.data_type <> expected.data_type AND NOT
    (expected.data_type = 'json' AND actual.data_type = 'longtext')
  OR actual.is_nullable <> expected.is_nullable OR (actual.column_key = 'PRI') <> (expected.column_key = 'PRI')
