"""The pages and the timetable, for an Airflow that reads this plugins folder but doesn't have the package installed.

If the package is installed, Airflow finds them through the entry point and would warn about a second plugin.
"""

from importlib.metadata import entry_points

if not entry_points(group="airflow.plugins", name="kalshi"):
    from kalshi.plugin import KalshiPlugin as KalshiPlugin
