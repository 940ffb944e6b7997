"""Plays histories to their end and says what is wrong with them."""

from __future__ import annotations

from collections.abc import Collection
from datetime import timedelta

import sqlalchemy as sa

from tests.histories import properties
from tests.histories.history import History
from tests.histories.properties import Difference
from tests.histories.steps import Step, story
from tests.support.warehouses import forget

ROUNDS = 10
"""How many rounds of ordinary runs may pass until the warehouse equals the exchange: a run heals only so much."""
WEEKLY = 4
"""So many of them, the last ones, are a week later: some things are read again only weekly."""
SOON, A_WEEK_LATER = timedelta(hours=6), timedelta(days=7, hours=6)
MOST = 12
"""How many differences a message shows."""


class Violation(AssertionError):
    """A history in which (a) or (b) doesn't hold; the message is the history."""


def replay(
    engine: sa.Engine, *steps: Step, sources: tuple[str, ...] = ("api_event",), of_everything: Collection[str] = ()
) -> History:
    """Play the steps, then ordinary rounds without faults until the warehouse equals the exchange.

    ``of_everything``: in a warehouse of its own, as such runs read what earlier histories left.

    Raises:
        Violation: something was missing without a name, or the warehouse never came to equal the exchange.
    """

    def check(history: History) -> None:
        properties.note_traces(history)
        if found := properties.unnamed(history):
            raise Violation(_message("(b) is violated: nothing names what is missing.", history, found, steps))

    if of_everything:
        forget(engine)
    history = History(engine, sources, of_everything, check)
    try:
        for step in steps:
            history.play(step)
        history.end_faults()
        for number in range(ROUNDS):
            history.next_round(A_WEEK_LATER if number == ROUNDS - WEEKLY else SOON)
            if not (left := list(properties.differences(history))):
                return history
    except Exception as error:
        if not isinstance(error, Violation):
            error.add_note("\n".join(["The history:", story(list(steps)), "What happened:", *history.log]))
        raise
    words = f"(a) is violated: after {ROUNDS} rounds without faults the warehouse differs from the exchange."
    raise Violation(_message(words, history, left, steps))


def _message(words: str, history: History, found: list[Difference], steps: tuple[Step, ...]) -> str:
    lines = [f"  {difference}" for difference in found[:MOST]]
    if len(found) > MOST:
        lines.append(f"  and {len(found) - MOST} more")
    return "\n".join([words, *lines, "The history:", story(list(steps)), "What happened:", *history.log])
