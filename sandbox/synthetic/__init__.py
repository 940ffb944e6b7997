"""Series of other kinds than the weather's, as many as asked for: a whole exchange.

    python -m sandbox --series 1000 --open-markets 100000 --trades-a-day 10000000

Nothing of it is stored. A market is three numbers: its series, the event in it and the market in that. Times, trades,
prices and results are functions of these, and every function takes arrays, so that a page of a thousand records costs
some milliseconds however long the history is:

- ``plan.py`` spreads markets and trades over the series, whose kinds are in ``kinds.py``;
- ``calendar.py`` says when a market opens, stops, resumes, closes and settles;
- ``flow.py`` when it trades and how much, ``prices.py`` at which prices, ``outcomes.py`` what it settles at;
- ``tickers.py`` names it, and finds it by its name;
- ``tape.py``, ``chart.py``, ``lists.py`` with ``filters.py``, and ``facts.py`` make the exchange's answers, which
  ``part.py`` offers.

Times are microseconds since 1970, prices hundredths of a cent, counts hundredths of contracts.
"""
