"""The pages that this project adds to Airflow's UI, under the menu entry Kalshi."""
