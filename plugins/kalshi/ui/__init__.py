"""The pages this project adds to Airflow's UI, under the menu entry Kalshi."""
