"""``python -m scripts.bench``: every contest, their tables, and the picture of the candles."""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

from kalshi.exchange import Exchange, ExchangeConfig
from sandbox import process as sandbox_process
from scripts import private_server
from scripts.bench import candles, catalog
from scripts.private_server import PrivateServer

PICTURE = Path("docs/images/candles-speed.png")


def main() -> None:
    parser = argparse.ArgumentParser(prog="scripts.bench", description=__doc__)
    parser.add_argument("contests", nargs="*", choices=["markets", "candles"], default=["markets", "candles"])
    parser.add_argument("--markets", type=int, default=50_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--days", type=int, nargs="+", default=[1, 10, 50], help="sizes of the growth, in days")
    args = parser.parse_args()
    options = ("--requests-per-second=0", f"--wide-markets={args.markets}", "--since=2026-07-01", "--dense-candles")
    with tempfile.TemporaryDirectory() as folder:
        server = private_server.ensure(Path(folder))
        try:
            with sandbox_process.running(Path(folder) / "sandbox.log", *options) as url:
                for contest in args.contests:
                    {"markets": markets_contests, "candles": candles_contest}[contest](url, server, args)
        finally:
            private_server.stop(Path(folder))


def markets_contests(url: str, server: PrivateServer, args: argparse.Namespace) -> None:
    with Exchange(ExchangeConfig(url, requests_per_second=1e6)) as exchange:
        contests = catalog.contests(exchange, args.markets)
        for number in range(args.rounds):
            print(f"markets: round {number + 1} of {args.rounds} …", flush=True)
            for contest in contests:
                contest.run_round(server)
    for contest in contests:
        print(f"\n{contest.table()}\n")


def candles_contest(url: str, server: PrivateServer, args: argparse.Namespace) -> None:
    with Exchange(ExchangeConfig(url, requests_per_second=1e6)) as exchange:
        contest = candles.contest(exchange, server)
        for number in range(args.rounds):
            print(f"candles: round {number + 1} of {args.rounds} …", flush=True)
            contest.run_round(server)
    print(f"\n{contest.table()}\n", flush=True)
    sizes = [candles.growth(url, server, days) for days in args.days]
    print(candles.growth_table(sizes))
    candles.draw(contest, sizes, PICTURE)
    print(f"\nThe picture: {PICTURE}")


if __name__ == "__main__":
    main()
