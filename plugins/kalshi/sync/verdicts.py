"""The verdicts on a settled market: whether its trades and candles agree with the exchange's own volume."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal

import sqlalchemy as sa

from kalshi.settings import ReconciliationSettings
from kalshi.warehouse import gaps, reconciliation
from kalshi.warehouse.gaps import WHOLE, Gap
from kalshi.warehouse.reconciliation import CANDLES, SIDES, TRADES, Figures, Side

PROVEN, SHORT, OVER, UNREAD = "proven", "short", "over", "unread"
WORST_FIRST = (SHORT, OVER, UNREAD, PROVEN)
READ_BY = {TRADES: "kalshi_trades_sync", CANDLES: "kalshi_candles_backfill"}


@dataclass(frozen=True)
class Verdict:
    """``reason``: why it isn't proven; ``is_repairable``: whether reading this market again may help."""

    word: str
    reason: str | None = None
    is_repairable: bool = False


@dataclass(frozen=True)
class Compared:
    """A market with its figures and the verdicts on its trades and candles."""

    figures: Figures
    trades: Verdict
    candles: Verdict
    differing_minutes: int | None

    @property
    def verdicts(self) -> tuple[Verdict, Verdict]:
        return self.trades, self.candles

    @property
    def word(self) -> str:
        """The worse of the two verdicts."""
        return min((verdict.word for verdict in self.verdicts), key=WORST_FIRST.index)

    @property
    def reason(self) -> str:
        reasons = [f"{s.name}: {v.reason}" for s, v in zip(SIDES, self.verdicts, strict=True) if v.reason]
        return "; ".join(reasons)


class Coverage:
    """What a job has read of a series, and what it is known to lack."""

    def __init__(self, connection: sa.Connection, side: Side, scope: str) -> None:
        self._side = side
        self._spans = reconciliation.spans_begun(connection, side.name, scope)
        self._gaps: defaultdict[str, list[Gap]] = defaultdict(list)
        for gap in gaps.open_gaps(connection, side.name, scope, being_read=True):
            self._gaps[gap.market].append(gap)

    def hole(self, figures: Figures) -> Verdict | None:
        """Why the market wasn't read in full; None if it was."""
        if not figures.life:
            return Verdict(UNREAD, "its open or close time isn't known")
        opens, closes = figures.life
        if not self.contains(figures):
            return Verdict(
                UNREAD,
                f"not all of its life, {opens:%Y-%m-%d} to {closes:%Y-%m-%d}, was ever read: run "
                f"{READ_BY[self._side]} for those days",
            )
        for market in (figures.ticker, WHOLE, gaps.UNREADABLE):
            for gap in self._gaps[market]:
                if gap.window.start < closes and gap.window.end > opens:
                    return Verdict(UNREAD, f"a gap: {gap.name} ({gap.reason})", market == figures.ticker)
        return None

    def contains(self, figures: Figures) -> bool:
        """Whether all of the market's life was read, as far as it is known."""
        if not figures.life:
            return True
        opens, closes = figures.life
        return any(start <= opens and closes <= end for start, end in self._spans)

    def touches(self, figures: Figures) -> bool:
        """Whether any part of the market's life was read."""
        if not figures.life:
            return True
        opens, closes = figures.life
        return any(start < closes and end > opens for start, end in self._spans)


def judge(
    connection: sa.Connection,
    found: Sequence[Figures],
    coverage: dict[Side, Coverage],
    rules: ReconciliationSettings,
) -> list[Compared]:
    """The verdicts on these markets. Those whose volumes agree are also compared minute by minute, once."""
    judged = {f.ticker: {side: _judge(side, f, coverage[side], rules) for side in SIDES} for f in found}
    to_check = [f.ticker for f in found if _is_to_check(f, judged[f.ticker].values())]
    differing = reconciliation.differing_minutes(connection, to_check, rules) if to_check else {}
    compared = []
    for figures in found:
        verdicts, minutes = judged[figures.ticker], differing.get(figures.ticker, [])
        if minutes and not _is_confirmed(figures):
            odd = Verdict(
                UNREAD, f"trades and candles disagree in {len(minutes)} minutes from {minutes[0]} UTC on", True
            )
            verdicts = dict.fromkeys(SIDES, odd)
        number = len(minutes) if figures.ticker in to_check else figures.differing_minutes
        compared.append(Compared(figures, verdicts[TRADES], verdicts[CANDLES], number))
    return compared


def _is_confirmed(figures: Figures) -> bool:
    """Whether the rows are those that the exchange had: where they disagree, the exchange disagrees with itself."""
    return all(figures.stored(side).known == figures.stored(side).checksum for side in SIDES)


def _is_to_check(figures: Figures, verdicts: Iterable[Verdict]) -> bool:
    """Whether to compare trades and candles minute by minute: unless that was done with these rows before."""
    is_known = figures.was_proven and _is_confirmed(figures)
    return not is_known and all(verdict.word == PROVEN for verdict in verdicts)


def _judge(side: Side, figures: Figures, coverage: Coverage, rules: ReconciliationSettings) -> Verdict:
    """The verdict on one side of a market, by its volume and by its checksum."""
    if hole := coverage.hole(figures):
        return hole
    if figures.exchange_volume is None:
        return Verdict(UNREAD, "the exchange's volume isn't known", True)
    stored = figures.stored(side)
    excess = difference(side, stored.volume, figures.block_volume, figures.exchange_volume)
    if abs(excess) > tolerance(side, rules):
        word, much = (SHORT, "fewer") if excess < 0 else (OVER, "more")
        return Verdict(word, f"{abs(excess)} contracts {much} than the exchange's {figures.exchange_volume}", True)
    if stored.has_changed:
        return Verdict(UNREAD, "rows were added, changed or deleted since it was proven", True)
    return Verdict(PROVEN)


def tolerance(side: Side, rules: ReconciliationSettings) -> Decimal:
    """How many contracts a proven market may differ by."""
    return rules.trades_contracts if side is TRADES else rules.candles_contracts


def ways(side: Side, blocks: Decimal) -> dict[str, Decimal]:
    """How block trades may count, each with what that adds to the stored volume."""
    if not blocks:
        return {"no block trades": Decimal(0)}
    counted = {"block trades counted": Decimal(0), "block trades not counted": -blocks}
    return counted if side is TRADES else {**counted, "counted by the exchange, not by its candles": blocks}


def difference(side: Side, volume: Decimal, blocks: Decimal, exchange_volume: Decimal) -> Decimal:
    """How many contracts more than the exchange's, in whatever way of counting block trades comes closest."""
    return min((volume + more - exchange_volume for more in ways(side, blocks).values()), key=abs)


def way(side: Side, figures: Figures, exchange_volume: Decimal, rules: ReconciliationSettings) -> str:
    """The way of counting block trades in which a proven market agrees."""
    volume = figures.stored(side).volume
    counted = ways(side, figures.block_volume).items()
    return next(name for name, more in counted if abs(volume + more - exchange_volume) <= tolerance(side, rules))
