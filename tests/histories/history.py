"""Plays a history: the real jobs run against the small exchange and a real warehouse, on a clock of their own.

The machine, the exchange and the database show the time of the model; the machine's clock may be some seconds off.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, time, timedelta
from typing import Any

import sqlalchemy as sa
import time_machine

from kalshi.exchange import ExchangeError
from kalshi.sync.candles import CandlesRequest, sync_candles
from kalshi.sync.catalog import CatalogRequest, sync_catalog
from kalshi.sync.report import JobReport
from kalshi.sync.retention import RetentionRequest, drop_old_months
from kalshi.sync.settlements import SettlementsRequest, sync_settlements
from kalshi.sync.trades import TradesRequest, sync_trades
from kalshi.warehouse.checkpoints import EVERYTHING
from tests.histories.exchange import SmallExchange, Trouble
from tests.histories.model import DAY, HOUR, MINUTE, START, Market, Model
from tests.histories.steps import (
    JOBS,
    At,
    Cutoff,
    Hour,
    Late,
    Mend,
    Pause,
    Prune,
    Reread,
    Return,
    Run,
    Skew,
    Spoil,
    Step,
    Terse,
    Vanish,
)

SYNCS: dict[str, Callable[..., JobReport]] = {
    "catalog": sync_catalog,
    "settlements": sync_settlements,
    "trades": sync_trades,
    "candles": sync_candles,
}
REQUESTS: dict[str, Callable[..., Any]] = {
    "catalog": CatalogRequest,
    "settlements": SettlementsRequest,
    "trades": TradesRequest,
    "candles": CandlesRequest,
}
PRUNED = {
    "trades": ("kalshi_trade",),
    "dense": ("kalshi_candle_1m_dense",),
    "candles": ("kalshi_candle_1m_dense", "kalshi_candle_1m"),
}
RETRIES = 4
"""How often a failed task is tried again: ``[tasks] retries`` in kalshi.toml."""
CHUNK = 30 * DAY
FIRST_DAY = datetime.combine(START, time(), START.tzinfo)
"""The first day whose candles are asked for."""
NUMBERS = itertools.count(1)


class Killed(BaseException):
    """The process died."""


@dataclass
class Ran:
    """A run that has ended. ``began`` and ``start`` to ``end``: by the exchange's clock, and its window.

    ``outcome``: success, warning, failed or killed. ``is_traced``: its window is known in the warehouse,
    which may not be so if it was killed. ``tries``: how often
    it was tried; ``is_due``: it will be tried again. ``words``: its warnings or its error.
    """

    job: str
    request: Any
    began: datetime
    by_hand: bool
    outcome: str = ""
    words: str = ""
    commits: int = 0
    requests: int = 0
    tries: int = 1
    is_due: bool = False
    is_traced: bool = True

    @property
    def start(self) -> datetime:
        return self.request.window_start  # type: ignore[no-any-return]

    @property
    def end(self) -> datetime:
        return self.request.window_end  # type: ignore[no-any-return]

    def __str__(self) -> str:
        window = f" {self.start:%m-%d %H:%M} to {self.end:%m-%d %H:%M}" if self.job in ("trades", "candles") else ""
        hand = " by hand" if self.by_hand else ""
        words = f": {self.words[:300]}" if self.words else ""
        return f"{self.began:%m-%d %H:%M:%S} {self.job}{window}{hand}, {self.requests} requests: {self.outcome}{words}"


@dataclass
class Process:
    """Counts the transactions of the process that runs, and ends it before the one numbered ``dies_at`` commits."""

    engine: sa.Engine
    model: Model
    commits: int = 0
    begun: int = 0
    dies_at: int | None = None
    is_dead: bool = False

    def begin(self, connection: sa.Connection) -> None:
        if self.is_dead:
            raise Killed
        # The database's clock is the model's, too. It has to move, as clocks do: a millisecond a transaction.
        self.begun += 1
        now = self.model.now.timestamp() + self.begun / 1000
        connection.connection.cursor().execute(f"SET timestamp = {now:.6f}")

    def commit(self, _: sa.Connection) -> None:
        if self.dies_at == self.commits + 1:
            self.is_dead = True
        if self.is_dead:
            raise Killed
        self.commits += 1

    @contextmanager
    def running(self, dies_at: int | None) -> Iterator[None]:
        self.commits, self.dies_at, self.is_dead = 0, dies_at, False
        sa.event.listen(self.engine, "begin", self.begin)
        sa.event.listen(self.engine, "commit", self.commit)
        try:
            yield
        finally:
            sa.event.remove(self.engine, "begin", self.begin)
            sa.event.remove(self.engine, "commit", self.commit)
            if self.is_dead:
                self.engine.dispose()


@dataclass
class History:
    """A series of its own, from START on. ``ran``: all runs so far, in order.

    ``sources``: of candles, as in the DAG's param. ``check``: is called after every run. ``of_everything``: the jobs
    whose scheduled runs read the whole exchange; with candles among them, no dense minutes are built.
    """

    engine: sa.Engine
    sources: tuple[str, ...] = ("api_event",)
    of_everything: Collection[str] = ()
    check: Callable[[History], None] = lambda _: None
    series: str = field(default_factory=lambda: f"HUNT{next(NUMBERS)}")
    skew: timedelta = timedelta(0)
    ran: list[Ran] = field(default_factory=list)
    next_day: datetime = FIRST_DAY
    log: list[str] = field(default_factory=list)

    @property
    def has_dense(self) -> bool:
        return "candles" not in self.of_everything

    def __post_init__(self) -> None:
        with self.engine.begin() as connection:  # other histories' months
            connection.exec_driver_sql("DELETE FROM kalshi_dropped_month")
        self.model = Model(self.series)
        self.exchange = SmallExchange(self.model)
        self.process = Process(self.engine, self.model)

    @property
    def machine_time(self) -> datetime:
        return self.model.now + self.skew

    def play(self, step: Step) -> None:
        self.log.append(f"{self.model.now:%m-%d %H:%M:%S} {step!r}")
        match step:
            case At(clock):
                self._wait_until(clock)
            case Pause(days):
                self._pass(days * DAY, stride=7)
            case Run():
                self._run(step)
            case Hour():
                self.run_all()
            case Reread():
                self._by_hand(step)
            case Late(what, minutes, letter):
                self._delay(self._coming(letter), what, minutes * MINUTE)
            case Spoil(what, letter):
                self._market(letter).spoilt.add(what)
            case Mend():
                for market in self.model.markets:
                    market.spoilt.clear()
            case Vanish(letter):
                self._market(letter).is_away = True
                self.exchange.shown.pop(self._market(letter).ticker, None)
            case Return():
                for market in filter(lambda market: market.is_away, self.model.markets):
                    market.is_away, market.listed = False, self.model.now
            case Cutoff(hours):
                self.model.cutoff = max(self.model.cutoff, self.model.now - hours * HOUR)
            case Terse(yes):
                self.model.is_terse = yes
            case Skew(seconds):
                self.skew = timedelta(seconds=seconds)
            case Prune(what, kill):
                self._prune(PRUNED[what], kill)

    def run_all(self) -> None:
        for job in JOBS:
            self._run(Run(job))

    def end_faults(self) -> None:
        """From now on nothing goes wrong, and what was late is published."""
        self.skew = timedelta(0)
        self.play(Mend())
        self.play(Return())
        latest = max(m.settlement_published for m in self.model.markets)
        self._pass(max(DAY, latest - self.model.now + HOUR), stride=1, events=False)

    def next_round(self, later: timedelta) -> None:
        """That much later, all that is due runs. The cutoff has moved on as well."""
        self._pass(later, stride=1, events=False)
        self.model.cutoff = min(self.model.cutoff + later, self.model.now - 2 * HOUR)
        self.run_all()

    def _pass(self, duration: timedelta, stride: int, *, events: bool = True) -> None:
        self.model.now += duration
        if events:
            self.model.add_events(stride)

    def _wait_until(self, clock: str) -> None:
        moment = datetime.combine(self.machine_time, time.fromisoformat(clock), START.tzinfo)
        wait = moment - self.machine_time
        self._pass(wait if wait > timedelta(0) else wait + DAY, stride=1)

    def _market(self, letter: str) -> Market:
        """The market with this letter whose opening is nearest to now."""
        lettered = [m for m in self.model.markets if m.ticker.endswith(letter)]
        return min(lettered, key=lambda market: abs(market.opens - self.model.now))

    def _coming(self, letter: str) -> Market:
        """The market with this letter that is open, or the next to open."""
        return next(m for m in self.model.markets if m.ticker.endswith(letter) and m.closes > self.model.now)

    def _delay(self, market: Market, what: str, delay: timedelta) -> None:
        """Delay what isn't published yet. Nothing is published in the past."""
        now = self.model.now
        if what == "trade":
            for trade in market.trades:
                if trade.published > now:
                    trade.published = max(now, trade.at + delay)
        elif what == "candle":
            for candle in market.candles:
                if candle.published > now:
                    candle.published = max(now, candle.end + delay)
        elif what == "market" and market.listed > now:
            market.listed = max(now, market.opens + delay)
        elif what == "settlement" and market.settlement_published > now:
            market.settlement_published = max(now, market.settled + delay)

    def _run(self, step: Run) -> None:
        """The scheduled run, as its DAG asks for it, unless the one of this hour has succeeded."""
        latest = next((ran for ran in reversed(self.ran) if ran.job == step.job and not ran.by_hand), None)
        hour = self.machine_time.replace(minute=0, second=0, microsecond=0)
        if step.job == "candles":
            self._run_days(step)
        elif latest and latest.is_due and (step.retry or latest.end == hour):
            self._go(self._again(latest), step)
        elif latest is None or latest.end < hour:
            start = hour - HOUR if step.job == "trades" else hour
            self._go(self._ran(step.job, start, hour, asked_at=hour), step)

    def _again(self, ran: Ran) -> Ran:
        """The same run once more. Its plan is a day old at most: until then a retry has the cutoff of its plan."""
        request = ran.request
        if self.model.now - ran.began > DAY:
            request = replace(request, cutoff=self.model.cutoff)
            if ran.job in ("trades", "candles"):
                request = replace(request, trades_cutoff=self.model.cutoff)
        return replace(ran, request=request, began=self.model.now, tries=ran.tries + 1)

    def _run_days(self, step: Run) -> None:
        """The days that are due: those that failed, and those that have ended since, in order.

        Days on which no market was open are taken together, which only saves time.
        """
        due = {ran.start: ran for ran in self.ran if ran.job == "candles" and not ran.by_hand and ran.is_due}
        todo = [self._again(ran) for _, ran in sorted(due.items())]
        while self.next_day + DAY <= self.machine_time:
            start, end = self.next_day, self.next_day + DAY
            while not self._is_busy(start, end + DAY) and end + DAY <= self.machine_time and end - start < CHUNK:
                end += DAY
            todo.append(self._ran("candles", start, end, asked_at=end))
            self.next_day = end
        for old in due.values():
            old.is_due = False
        for number, ran in enumerate(todo):
            self._go(ran, step if number == 0 else Run("candles", lenient=step.lenient))

    def _is_busy(self, start: datetime, end: datetime) -> bool:
        return any(m.opens < end and m.closes > start for m in self.model.markets)

    def _by_hand(self, step: Reread) -> None:
        end = datetime.combine(self.machine_time, time(), START.tzinfo) - step.ago * DAY
        ran = self._ran(step.job, end - step.days * DAY, end, asked_at=self.machine_time, by_hand=True)
        ran.request = replace(ran.request, force=step.force)
        self._go(ran, Run(step.job, kill=step.kill, fail=step.fail))

    def _ran(self, job: str, start: datetime, end: datetime, *, asked_at: datetime, by_hand: bool = False) -> Ran:
        about: dict[str, Any] = {
            "scope": EVERYTHING if job in self.of_everything and not by_hand else self.series,
            "dag_run_id": f"{job} {self.series} {start:%Y-%m-%d %H:%M} {len(self.ran)}",
            "window_start": start,
            "window_end": end,
            "asked_at": asked_at,
            "by_hand": by_hand,
            "cutoff": self.model.cutoff,
        }
        if job in ("trades", "candles"):
            about["trades_cutoff"] = self.model.cutoff
        if job == "trades":
            about["incremental"] = not by_hand
        if job == "candles":
            about |= {"sources": self.sources, "dense": self.has_dense}
        return Ran(job, REQUESTS[job](**about), self.model.now, by_hand)

    def _prune(self, tables: Sequence[str], kill: int | None) -> None:
        with self.engine.begin() as connection:  # runs that were killed in other histories would count as living ones
            connection.exec_driver_sql(
                "UPDATE kalshi_sync_run SET state = 'abandoned' WHERE state = 'running' AND scope NOT IN (%s, '*')",
                (self.series,),
            )
        try:
            with time_machine.travel(self.machine_time, tick=False), self.process.running(kill):
                for table in tables:
                    request = RetentionRequest(table, 1, dry_run=False, asked_at=self.machine_time)
                    report = drop_old_months(self.engine, request)
                    self.log.append(f"    {table}: {report.months_dropped} months dropped")
        except Killed:
            self.log.append("    killed")
        if self.ran:
            self.check(self)

    def _go(self, ran: Ran, step: Run) -> None:
        """Run the job, as a process of its own that may be killed, with the trouble of ``step``."""
        for old in self.ran:
            if old.job == ran.job and (ran.job != "candles" or old.start == ran.start):
                old.is_due = False
        self.exchange.seen = 0
        self.exchange.trouble = Trouble(step.fail, step.times, step.how) if step.fail is not None else Trouble()
        ran.request = replace(ran.request, tolerated_share=0.9 if step.lenient else 0.01)
        ran.outcome, ran.words, ran.is_due = "killed", "", True
        try:
            with (
                time_machine.travel(self.machine_time, tick=False),
                self.process.running(step.kill),
                self.exchange.client() as client,
            ):
                report = SYNCS[ran.job](client, self.engine, ran.request)
            ran.outcome, ran.words, ran.is_due = report.state, " ".join(report.warnings), False
        except Killed:
            pass
        except (ExchangeError, RuntimeError) as error:  # what else a job may raise is a mistake, and ends the test
            ran.outcome, ran.words = "failed", f"{type(error).__name__}: {error}"
            ran.is_due = ran.tries <= RETRIES
        ran.commits, ran.requests = self.process.commits, self.exchange.seen
        self.ran.append(ran)
        self.log.append(f"    {ran}")
        self.check(self)
