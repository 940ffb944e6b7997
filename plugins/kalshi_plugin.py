"""The pages and the timetable, for an Airflow that reads this plugins folder without the package being installed.

Where it is installed, Airflow finds them through the entry point, and would warn of a second plugin with their name.
"""

from importlib.metadata import entry_points

if not entry_points(group="airflow.plugins", name="kalshi"):
    from kalshi.plugin import KalshiPlugin as KalshiPlugin
