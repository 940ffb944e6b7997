"""Runs the sandbox: ``python -m sandbox``."""

from __future__ import annotations

import argparse
import socket
from datetime import UTC, date, datetime
from pathlib import Path

import uvicorn

from sandbox.access import MADE_KEY, READ, make_key
from sandbox.app import Sandbox
from sandbox.part import Part
from sandbox.world import LIVE_DAYS, Clock, World


def main() -> None:
    parser = argparse.ArgumentParser(prog="sandbox", description="A Kalshi exchange on this machine.")
    parser.add_argument("--host", default="127.0.0.1", help="address to bind; 0.0.0.0 for all (default %(default)s)")
    parser.add_argument("--port", type=int, default=8321, help="port; 0 picks a free one (default %(default)s)")
    parser.add_argument("--clock", type=datetime.fromisoformat, help="time at the start, ISO 8601 (default: now)")
    parser.add_argument(
        "--speed",
        type=float,
        help="speed of its clock (default: 1, or 0 with --clock); at 1 the header Date shows its time",
    )
    parser.add_argument("--since", default="2023-01-01", help="day of the first event (default %(default)s)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--wide-markets", type=int, default=2500, help="markets of KXSANDBOXWIDE (default %(default)s)")
    parser.add_argument(
        "--live-days",
        type=int,
        default=LIVE_DAYS,
        help="days after which settled markets are in the historical tier (default %(default)s)",
    )
    parser.add_argument("--dense-candles", action="store_true", help="a candle for every minute, even without a change")
    parser.add_argument("--series", type=int, default=0, help="synthetic series of other kinds (default %(default)s)")
    parser.add_argument("--open-markets", type=int, help="their markets open at one time (default: 20 for each series)")
    parser.add_argument("--trades-a-day", type=int, help="their trades (default: 10 for each open market)")
    parser.add_argument("--requests-per-second", type=float, default=20.0, help="rate limit; 0 for none")
    parser.add_argument(
        "--key", action="append", default=[], metavar="ID=PEM", help="accept this key id; PEM: its public key file"
    )
    parser.add_argument(
        "--scopes", action="append", default=[], metavar="ID=SCOPE", help="scope of that key (default: read)"
    )
    parser.add_argument("--make-key", type=Path, metavar="FILE", help="generate a key, private half in FILE")
    args = parser.parse_args()
    if args.live_days < 1:
        parser.error(f"--live-days must be at least 1, not {args.live_days}")
    start, usual_speed = (args.clock.astimezone(UTC), 0.0) if args.clock else (datetime.now(UTC), 1.0)
    clock = Clock(start, usual_speed if args.speed is None else args.speed)
    world = World(
        clock,
        seed=args.seed,
        since=date.fromisoformat(args.since),
        wide_markets=args.wide_markets,
        live_days=args.live_days,
        dense_candles=args.dense_candles,
    )
    world.events()  # generated before the port opens, so that the first request isn't slow
    sandbox = Sandbox(world, *_synthetic(parser, args, world), requests_per_second=args.requests_per_second)
    scopes = dict(scope.split("=", 1) for scope in args.scopes)
    for key_id, _, path in (key.partition("=") for key in args.key):
        sandbox.keys.add(key_id, Path(path).read_bytes(), [scopes.get(key_id, READ)])
    if args.make_key:
        sandbox.keys.add(MADE_KEY, make_key(args.make_key))
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((args.host, args.port))
    except OSError as error:
        parser.exit(1, f"Port {args.port} isn't available ({error.strerror}): choose another, such as --port 0.\n")
    listener.listen(128)  # before the address is printed: its reader may connect at once
    print(f"http://{args.host}:{listener.getsockname()[1]}/trade-api/v2", flush=True)
    uvicorn.Server(
        uvicorn.Config(sandbox.app(), log_level="warning", access_log=False, date_header=not clock.is_a_wall_clock)
    ).run(sockets=[listener])


def _synthetic(parser: argparse.ArgumentParser, args: argparse.Namespace, world: World) -> list[Part]:
    """The synthetic series, if some are asked for."""
    if not args.series:
        if args.open_markets is not None or args.trades_a_day is not None:
            parser.error("--open-markets and --trades-a-day need --series, of which there are 0")
        return []
    from sandbox.synthetic.part import Synthetic  # numpy takes 20 MB, which the weather series don't need
    from sandbox.synthetic.plan import Size, make_plan

    open_markets = 20 * args.series if args.open_markets is None else args.open_markets
    trades = 10 * open_markets if args.trades_a_day is None else args.trades_a_day
    try:
        size = Size(args.series, open_markets, trades)
    except ValueError as error:
        parser.error(str(error))
    return [Synthetic(make_plan(size, args.seed, date.fromisoformat(args.since)), world)]


if __name__ == "__main__":
    main()
