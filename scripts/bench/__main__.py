"""``python -m scripts.bench``: run every contest, print the tables, draw the candle chart."""

from __future__ import annotations

import argparse
import tempfile
from datetime import UTC, datetime
from pathlib import Path

from kalshi.exchange import Exchange, ExchangeConfig
from sandbox import process as sandbox_process
from scripts import private_server, real_mysql
from scripts.backends import LOCAL
from scripts.bench import CLOCK, backfill, candles, catalog, failover, history, months, pages, quality, whole, workers
from scripts.private_server import PrivateServer

PICTURE = Path("docs/images/candles-speed.png")


def main() -> None:
    parser = argparse.ArgumentParser(prog="scripts.bench", description=__doc__)
    parser.add_argument("contests", nargs="*", choices=list(CONTESTS), default=list(CONTESTS))
    parser.add_argument("--markets", type=int, default=50_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--days", type=int, nargs="+", default=[1, 10, 50], help="sizes of the growth, in days")
    parser.add_argument("--rows", type=int, nargs="+", default=[300_000, 1_000_000, 5_000_000], help="beside a day")
    parser.add_argument(
        "--quality-days", type=int, default=60, help="days of the longer quality run, on the largest table"
    )
    parser.add_argument("--workers", type=int, default=2, help="Celery workers")
    parser.add_argument("--tasks", type=int, default=8, help="mapped tasks they share")
    parser.add_argument(
        "--open-markets", type=int, nargs="+", default=[1_000, 10_000], help="sizes of the whole exchange"
    )
    parser.add_argument("--history-days", type=int, default=365, help="of each series, through Airflow")
    parser.add_argument("--history-series", type=int, default=2, choices=range(1, len(history.SERIES) + 1))
    parser.add_argument("--history-dense", choices=["yes", "no", "both"], default="both", help="dense minutes")
    parser.add_argument("--kills", type=int, default=20, help="of a cluster's primary, one after the other")
    args = parser.parse_args()
    options = (
        *(f"--clock={CLOCK}", "--requests-per-second=0", "--since=2026-07-01"),
        *(f"--wide-markets={args.markets}", "--dense-candles"),
    )
    with tempfile.TemporaryDirectory() as folder:
        server = private_server.ensure(Path(folder))
        try:
            with sandbox_process.running(Path(folder) / "sandbox.log", *options) as url:
                for contest in args.contests:
                    CONTESTS[contest](url, server, args)
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
    print(f"\nChart: {PICTURE}")


def quality_growth(_: str, server: PrivateServer, args: argparse.Namespace) -> None:
    print(f"\n{quality.measure(server, args.rows, args.quality_days)}\n")


def pages_growth(_: str, server: PrivateServer, args: argparse.Namespace) -> None:
    print(f"\n{pages.measure(server, args.rows)}\n")


def workers_share(_: str, __: PrivateServer, args: argparse.Namespace) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        server = private_server.ensure(folder, real_mysql.download(LOCAL / "real-mysql"))
        try:
            outcome = workers.measure(folder, server, workers=args.workers, tasks=args.tasks, days=20)
        finally:
            private_server.stop(folder)
    print(f"\nworkers: {args.workers} Celery workers, one budget of {backfill.LIMIT} requests per second\n")
    print(f"{outcome.table()}\n")


def whole_exchange(_: str, server: PrivateServer, args: argparse.Namespace) -> None:
    print(f"\n{whole.measure(server, args.open_markets, datetime.now(UTC).replace(second=0, microsecond=0))}\n")


def failover_pauses(url: str, _: PrivateServer, args: argparse.Namespace) -> None:
    print(f"\n{failover.measure(url, args.kills)}\n")


def long_history(_: str, server: PrivateServer, args: argparse.Namespace) -> None:
    with tempfile.TemporaryDirectory() as folder:
        dense = {"yes": [True], "no": [False], "both": [True, False]}[args.history_dense]
        print(f"\n{history.measure(Path(folder), server, args.history_series, args.history_days, dense)}\n")


def divide_into_months(_: str, __: PrivateServer, args: argparse.Namespace) -> None:
    for name, program in (("MariaDB", None), ("MySQL", real_mysql.download(LOCAL / "real-mysql"))):
        print(f"\nmonths on {name}\n\n{months.measure(program, max(args.rows))}\n", flush=True)


CONTESTS = {
    "markets": markets_contests,
    "candles": candles_contest,
    "quality": quality_growth,
    "pages": pages_growth,
    "workers": workers_share,
    "whole": whole_exchange,
    "failover": failover_pauses,
    "history": long_history,
    "months": divide_into_months,
}

if __name__ == "__main__":
    main()
