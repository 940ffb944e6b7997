"""The MySQL warehouse: connections, migrations, the one writer, the ledger. Independent of HTTP and Airflow."""
