"""``make doctor``: ``python -m kalshi doctor`` with the connections of ``make demo`` and ``make ui``."""

from __future__ import annotations

import argparse
import os
import sys

from kalshi.__main__ import main as kalshi
from scripts.backends import EXCHANGES, connections


def main() -> None:
    parser = argparse.ArgumentParser(description="Check everything a run depends on.")
    parser.add_argument("--exchange", choices=EXCHANGES, default="sandbox")
    os.environ.update(connections(parser.parse_args().exchange))
    print()
    sys.argv[1:] = ["doctor"]
    kalshi()


if __name__ == "__main__":
    main()
