"""The kinds of series, each with something that the weather series don't have."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

SECOND, MINUTE, HOUR, DAY = 1, 60, 3600, 86400
Outcome = Literal["winner", "levels", "coin", "scalar", "legs"]
"""One market of the event wins; all markets up to one win; each on its own; each at a value; if all legs win."""
Grid = Literal["linear_cent", "deci_cent", "tapered_deci_cent", "center_deci_edge_centi_cent"]
GRIDS: dict[Grid, tuple[tuple[str, str, str], ...]] = {
    "linear_cent": (("0.0000", "1.0000", "0.0100"),),
    "deci_cent": (("0.0000", "1.0000", "0.0010"),),
    "tapered_deci_cent": (
        ("0.0000", "0.1000", "0.0010"),
        ("0.1000", "0.9000", "0.0100"),
        ("0.9000", "1.0000", "0.0010"),
    ),
    "center_deci_edge_centi_cent": (
        ("0.0000", "0.0100", "0.0001"),
        ("0.0100", "0.9900", "0.0010"),
        ("0.9900", "1.0000", "0.0001"),
    ),
}
"""The prices that a market takes: ranges with start, end and step in dollars."""
EARLIEST, LATEST = 0.3, 0.9
"""The part of its life after which a market stops early; one that resumes does so halfway to its scheduled close."""


@dataclass(frozen=True)
class Kind:
    """What the series of a kind have in common. Times in seconds.

    ``series``, ``event``, ``market``: the beginnings of their tickers, with ``{}`` for the series' number; an event's
    ticker goes on with ``when``, a market's with ``when`` and ``suffix``. ``when`` is the closing time or a number.
    ``every``: how often an event opens; 0: as often as it takes for the kind's part of the open markets, which is
    ``open_part``. ``popularity``: its part of the trades, before the few busy series are drawn. ``hold``: how many
    minutes a quote stays. ``stopping``: the share of markets that stop trading early, ``resuming``: the share of
    these that trade again later; ``together``: all markets of an event at once. ``lag``: from close to settlement;
    ``late``: the share that takes up to three days longer.
    """

    name: str
    series: str
    event: str
    market: str
    when: Literal["time", "number", "dotted", "hex"]
    suffix: Literal["up", "letters", "brackets", "levels", "dotted", "hash"]
    categories: tuple[str, ...]
    tags: tuple[str, ...]
    frequency: str
    life: int
    lead: int
    every: int
    open_part: float
    fewest: int
    most: int
    popularity: float
    hold: int
    grid: Grid
    whole_contracts: bool
    outcome: Outcome
    strike_type: str
    stopping: float = 0.0
    resuming: float = 0.0
    together: bool = True
    lag: int = HOUR
    late: float = 0.0
    shard: int = 0

    @property
    def is_combo(self) -> bool:
        return self.outcome == "legs"

    @property
    def open_share(self) -> float:
        """The share of its life in which a market is open, on average."""
        closed_early = (1 - self.resuming) * (1 - (EARLIEST + LATEST) / 2)
        paused = self.resuming * (1 - (EARLIEST + LATEST) / 2) / 2
        return 1 - self.stopping * (closed_early + paused)


GAMES = Kind(
    name="games", series="KXGAME{}", event="KXGAME{}", market="KXGAME{}", when="time", suffix="letters",
    categories=("Sports",), tags=("Basketball",), frequency="custom", life=3 * DAY, lead=6 * HOUR, every=0,
    open_part=0.15, fewest=2, most=2, popularity=1.0, hold=2, grid="tapered_deci_cent", whole_contracts=False,
    outcome="winner", strike_type="structured", stopping=0.8, shard=3,
)  # fmt: skip
COINS = Kind(
    name="coins", series="KXCOIN{}15M", event="KXCOIN{}15M", market="KXCOIN{}15M", when="time", suffix="up",
    categories=("Crypto",), tags=("15 min", "Up or down"), frequency="fifteen_min", life=15 * MINUTE, lead=5 * MINUTE,
    every=15 * MINUTE, open_part=0.0, fewest=1, most=1, popularity=1.0, hold=1, grid="deci_cent", whole_contracts=False,
    outcome="coin", strike_type="greater_or_equal", lag=2 * MINUTE, shard=2,
)  # fmt: skip
TICKS = Kind(
    name="ticks", series="KXTICK{}S", event="KXTICK{}S", market="KXTICK{}S", when="time", suffix="up",
    categories=("Crypto", "Financials"), tags=("Seconds",), frequency="custom", life=45 * SECOND, lead=MINUTE,
    every=HOUR, open_part=0.0, fewest=1, most=1, popularity=0.02, hold=1, grid="linear_cent", whole_contracts=True,
    outcome="coin", strike_type="less_or_equal", lag=MINUTE, shard=2,
)  # fmt: skip
INDICES = Kind(
    name="indices", series="KXINDEX{}", event="KXINDEX{}", market="KXINDEX{}", when="time", suffix="brackets",
    categories=("Financials", "Economics"), tags=("Range",), frequency="daily", life=DAY, lead=HOUR, every=0,
    open_part=0.25, fewest=10, most=1500, popularity=1.0, hold=10, grid="linear_cent", whole_contracts=True,
    outcome="winner", strike_type="between",
)  # fmt: skip
OFFICES = Kind(
    name="offices", series="KXOFFICE{}", event="KXOFFICE{}", market="KXOFFICE{}", when="number", suffix="letters",
    categories=("Politics", "Elections", "World"), tags=(), frequency="one_off", life=300 * DAY, lead=DAY, every=0,
    open_part=0.1, fewest=2, most=24, popularity=1.5, hold=240, grid="tapered_deci_cent", whole_contracts=False,
    outcome="winner", strike_type="custom", stopping=0.2, together=False, lag=12 * HOUR, late=0.1,
)  # fmt: skip
RATES = Kind(
    name="rates", series="KXRATE{}", event="RATES{}", market="RATE{}", when="time", suffix="levels",
    categories=("Economics",), tags=("Central banks",), frequency="monthly", life=30 * DAY, lead=DAY, every=0,
    open_part=0.05, fewest=8, most=8, popularity=0.5, hold=60, grid="linear_cent", whole_contracts=False,
    outcome="levels", strike_type="greater", late=0.05,
)  # fmt: skip
ODDITIES = Kind(
    name="oddities", series="KXodd.Name_{}", event="KXodd.Name_{}", market="KXodd.Name_{}", when="dotted",
    suffix="dotted", categories=("Mentions",), tags=("Odd tickers",), frequency="weekly", life=7 * DAY, lead=HOUR,
    every=0, open_part=0.05, fewest=5, most=5, popularity=0.3, hold=30, grid="linear_cent", whole_contracts=False,
    outcome="coin", strike_type="custom", stopping=0.6, resuming=0.6, together=False,
)  # fmt: skip
SCORES = Kind(
    name="scores", series="KXSCORE{}", event="KXSCORE{}", market="KXSCORE{}", when="time", suffix="letters",
    categories=("Entertainment",), tags=("Scalar",), frequency="custom", life=14 * DAY, lead=HOUR, every=0,
    open_part=0.05, fewest=3, most=3, popularity=0.3, hold=30, grid="deci_cent", whole_contracts=False,
    outcome="scalar", strike_type="functional", late=0.05,
)  # fmt: skip
COMBOS = Kind(
    name="combos", series="KXMVEPARLAY{}", event="KXMVEPARLAY{}", market="KXMVEPARLAY{}", when="hex", suffix="hash",
    categories=("Exotics",), tags=(), frequency="custom", life=3 * DAY, lead=0, every=0, open_part=0.35, fewest=1,
    most=1, popularity=0.5, hold=60, grid="center_deci_edge_centi_cent", whole_contracts=False, outcome="legs",
    strike_type="custom", lag=4 * HOUR, shard=1,
)  # fmt: skip
KINDS = (GAMES, COINS, TICKS, INDICES, OFFICES, RATES, ODDITIES, SCORES, COMBOS)
"""The series take turns; a combo's legs are games, which come first."""
