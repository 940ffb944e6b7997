"""The MySQL warehouse: connections, migrations, the one writer, the ledger. No HTTP, no Airflow."""
