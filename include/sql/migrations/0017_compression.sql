-- Page compression of the tables that grow with time: less than a quarter of the disk on MariaDB, half on MySQL, for the
-- same time to load. MySQL compresses pages as they are written from now on; MariaDB rebuilds the table while others read
-- and write it. A server without a file per table refuses (error 1478), and the rows stay as they are.

ALTER TABLE kalshi_candle_1m /*!80000 COMPRESSION='zlib' */ /*M! PAGE_COMPRESSED=1 */, ALGORITHM=INPLACE;

ALTER TABLE kalshi_candle_1m_dense /*!80000 COMPRESSION='zlib' */ /*M! PAGE_COMPRESSED=1 */, ALGORITHM=INPLACE;

ALTER TABLE kalshi_trade /*!80000 COMPRESSION='zlib' */ /*M! PAGE_COMPRESSED=1 */, ALGORITHM=INPLACE;

ALTER TABLE kalshi_price_snapshot /*!80000 COMPRESSION='zlib' */ /*M! PAGE_COMPRESSED=1 */, ALGORITHM=INPLACE;

ALTER TABLE kalshi_coverage /*!80000 COMPRESSION='zlib' */ /*M! PAGE_COMPRESSED=1 */, ALGORITHM=INPLACE;

ALTER TABLE kalshi_decision_coverage /*!80000 COMPRESSION='zlib' */ /*M! PAGE_COMPRESSED=1 */, ALGORITHM=INPLACE;
