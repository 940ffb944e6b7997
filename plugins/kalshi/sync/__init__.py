"""The jobs: each reads the exchange, writes the warehouse and returns a report. Independent of Airflow."""
