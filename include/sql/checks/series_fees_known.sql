-- The series has a fee type whose formula is known.
SELECT series_ticker, fee_type, fee_multiplier
FROM {batch}
WHERE fee_multiplier IS NULL OR COALESCE(fee_type, '') NOT IN (
  'quadratic', 'quadratic_with_maker_fees', 'quadratic_with_combo_maker_fees')
