"""The same candles with dlt (https://dlthub.com), in an environment with dlt: see ``requirements-bench.in``.

Run with a JSON file {"url", "rows", "times"}; prints the seconds of the last load.
"""

import json
import sys
import tempfile
import time
from pathlib import Path

import dlt
from dlt.destinations import sqlalchemy

KEY = {"market_ticker": {"data_type": "text", "precision": 120}, "bucket_start_utc": {"data_type": "bigint"}}
"""MySQL needs a length for a text column that is part of a key."""


def main() -> None:
    task = json.loads(Path(sys.argv[1]).read_text())
    candles = dlt.resource(task["rows"], name="candle", primary_key=list(KEY), write_disposition="merge", columns=KEY)
    with tempfile.TemporaryDirectory() as folder:
        pipeline = dlt.pipeline(
            "bench", destination=sqlalchemy(task["url"]), dataset_name="bench", pipelines_dir=folder
        )
        for _ in range(task["times"]):
            began = time.perf_counter()
            pipeline.run(candles).raise_on_failed_jobs()
            took = time.perf_counter() - began
    print(took)


if __name__ == "__main__":
    main()
