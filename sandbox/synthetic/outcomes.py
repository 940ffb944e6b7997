"""What markets settle at, and the legs of combos."""

from __future__ import annotations

import numpy as np

from sandbox.synthetic.calendar import Rows, event_keys
from sandbox.synthetic.dice import Flags, Floats, Ints, draw, mixed
from sandbox.synthetic.plan import OUTCOMES, Plan

LEGS = 3


def values(plan: Plan, rows: Rows) -> Floats:
    """What YES pays, in dollars: 0, 1 or, for a scalar result, something between."""
    event_key, markets = event_keys(plan, rows), plan.markets[rows.series]
    drawn, own = draw(event_key, 31), draw(mixed(event_key, rows.market), 32)
    winner, levels = (drawn * markets).astype(np.int64), (drawn * (markets + 1)).astype(np.int64)
    paid = [rows.market == winner, rows.market < levels, own < 0.5, 0.01 + np.floor(own * 99) / 100]
    outcome = plan.outcome[rows.series]
    is_combo = outcome == OUTCOMES.index("legs")
    found: Floats = np.select([outcome == number for number in range(len(paid))], paid, default=0.0).astype(np.float64)
    if is_combo.any():
        combos = rows.take(np.flatnonzero(is_combo))
        found[is_combo] = np.all([(values(plan, leg) == 1) == yes for leg, yes in legs(plan, combos)], axis=0)
    return found


def legs(plan: Plan, combos: Rows) -> list[tuple[Rows, Flags]]:
    """The legs of combos: markets of games that were open when the combo was, and whether YES of each must win."""
    key = event_keys(plan, combos)
    opens = plan.start[combos.series] + combos.event * plan.period[combos.series]
    found = []
    for number in range(LEGS):
        series: Ints = plan.games[(draw(key, 33 + 3 * number) * len(plan.games)).astype(np.int64)]
        event = np.maximum((opens - plan.start[series]) // plan.period[series], 0)
        market = (draw(key, 34 + 3 * number) * plan.markets[series]).astype(np.int64)
        found.append((Rows(series, event, market), draw(key, 35 + 3 * number) < 0.7))
    return found
