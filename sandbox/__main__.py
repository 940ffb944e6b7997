"""Runs the sandbox: ``python -m sandbox``."""

from __future__ import annotations

import argparse
import socket
from datetime import UTC, date, datetime
from pathlib import Path

import uvicorn

from sandbox.access import MADE_KEY, READ, make_key
from sandbox.app import Sandbox
from sandbox.world import Clock, World


def main() -> None:
    parser = argparse.ArgumentParser(prog="sandbox", description="A Kalshi exchange on this machine.")
    parser.add_argument("--host", default="127.0.0.1", help="its address; 0.0.0.0: all (default %(default)s)")
    parser.add_argument("--port", type=int, default=8321, help="0 takes a free one (default %(default)s)")
    parser.add_argument(
        "--clock", type=datetime.fromisoformat, help="its time at the start, ISO 8601 (default: now, as on the wall)"
    )
    parser.add_argument(
        "--speed",
        type=float,
        help="how fast its time moves (default: 1, or 0 with --clock); at 1 the header Date shows it",
    )
    parser.add_argument("--since", default="2023-01-01", help="the first event's day (default %(default)s)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--wide-markets", type=int, default=2500, help="markets of KXSANDBOXWIDE (default %(default)s)")
    parser.add_argument("--dense-candles", action="store_true", help="a candle for every minute, moved or not")
    parser.add_argument("--requests-per-second", type=float, default=20.0, help="its rate limit; 0: none")
    parser.add_argument(
        "--key", action="append", default=[], metavar="ID=PEM", help="accept this key id; PEM: its public key's file"
    )
    parser.add_argument(
        "--scopes", action="append", default=[], metavar="ID=SCOPE", help="what that key may do (default: read)"
    )
    parser.add_argument("--make-key", type=Path, metavar="FILE", help="make a key, its private half into FILE")
    args = parser.parse_args()
    start, usual_speed = (args.clock.astimezone(UTC), 0.0) if args.clock else (datetime.now(UTC), 1.0)
    clock = Clock(start, usual_speed if args.speed is None else args.speed)
    world = World(
        clock,
        seed=args.seed,
        since=date.fromisoformat(args.since),
        wide_markets=args.wide_markets,
        dense_candles=args.dense_candles,
    )
    world.events()  # made before the port opens, so that the first request isn't a slow one
    sandbox = Sandbox(world, requests_per_second=args.requests_per_second)
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
        parser.exit(1, f"Port {args.port} can't be had ({error.strerror}): name another, such as --port 0.\n")
    listener.listen(128)  # before the address is printed: whoever reads it may connect at once
    print(f"http://{args.host}:{listener.getsockname()[1]}/trade-api/v2", flush=True)
    uvicorn.Server(
        uvicorn.Config(sandbox.app(), log_level="warning", access_log=False, date_header=not clock.is_a_wall_clock)
    ).run(sockets=[listener])


if __name__ == "__main__":
    main()
