"""Lists are read completely, page by page, or fail."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kalshi.exchange import Exchange, PageCapReached, RepeatedCursor
from kalshi.exchange.pages import Page, paginate, read_ahead
from kalshi.records import Market, Record
from tests.support.exchange_server import ExchangeServer

WIDE = "KXSANDBOXWIDE"


def tickers(pages: Iterator[Page[Market]]) -> list[str]:
    return [found.record.ticker for page in pages for found in page.records]


def all_tickers(server: ExchangeServer, path: str, name: str, limit: int) -> list[str]:
    """What the sandbox lists, read with nothing of ours."""
    found: list[str] = []
    cursor = ""
    while True:
        body = server.get(path, limit=limit, cursor=cursor).json()
        found += [item.get("ticker") or item["event_ticker"] for item in body[name]]
        if not (cursor := body["cursor"]):
            return found


def read_until_error(pages: Iterator[Page[Record]], error: type[Exception]) -> tuple[list[Page[Record]], str]:
    """The pages that came before the error, and the error's words."""
    read: list[Page[Record]] = []
    with pytest.raises(error) as raised:
        read.extend(pages)
    return read, str(raised.value)


def test_all_markets_of_a_wide_series_come_once(exchange: Exchange) -> None:
    pages = list(exchange.markets(series_ticker=WIDE))
    assert [page.number for page in pages] == [1, 2, 3]
    assert [len(page.records) for page in pages] == [1000, 1000, 500]
    assert [bool(page.cursor) for page in pages] == [True, True, False]
    assert set(tickers(iter(pages))) == {f"{WIDE}-99DEC31-T{number}" for number in range(2500)}


def test_an_empty_list_is_one_empty_page(exchange: Exchange) -> None:
    [page] = exchange.markets(series_ticker="KXNOSUCH")
    assert (page.endpoint, page.records, page.rejected, page.cursor) == ("/markets", [], [], "")


def test_the_historical_tier_is_listed_whole(exchange_server: ExchangeServer, exchange: Exchange) -> None:
    expected = all_tickers(exchange_server, "/historical/markets", "markets", 700)
    listed = tickers(exchange.historical_markets())
    assert len(listed) > 2000
    assert listed == expected


def test_events_are_listed_completely_in_the_largest_pages(exchange_server: ExchangeServer, exchange: Exchange) -> None:
    expected = all_tickers(exchange_server, "/events", "events", 99)
    pages = list(exchange.events())
    assert {len(page.records) for page in pages[:-1]} == {200}
    assert [found.record.ticker for page in pages for found in page.records] == expected


def test_a_list_can_be_taken_up_at_a_cursor(exchange: Exchange) -> None:
    first, *rest = exchange.historical_markets()
    assert tickers(exchange.historical_markets(start=first.cursor)) == tickers(iter(rest))


def test_a_page_cap_gives_its_pages_and_then_says_that_the_list_continues(exchange: Exchange) -> None:
    pages, words = read_until_error(exchange.markets(series_ticker=WIDE, max_pages=2), PageCapReached)
    assert len(set(tickers(iter(pages)))) == 2000
    assert "/markets has more pages after page 2" in words


def test_a_page_cap_that_the_list_just_fits_in_is_no_error(exchange: Exchange) -> None:
    assert len(tickers(exchange.markets(series_ticker=WIDE, max_pages=3))) == 2500


@pytest.mark.parametrize("skip", [0, 1])
def test_a_repeated_cursor_is_an_error_after_the_pages_that_were_read(
    exchange_server: ExchangeServer, exchange: Exchange, skip: int
) -> None:
    exchange_server.faults({"kind": "repeated_cursor", "path": "/markets$", "skip": skip, "times": 99})
    pages, words = read_until_error(exchange.markets(series_ticker=WIDE), RepeatedCursor)
    assert [len(page.records) for page in pages] == [1000, 1000]
    assert "/markets repeated a cursor on page 2" in words


def test_a_cursor_that_leads_back_to_where_the_list_was_resumed_is_an_error(
    exchange_server: ExchangeServer, exchange: Exchange
) -> None:
    start = next(exchange.historical_markets()).cursor
    exchange_server.faults({"kind": "repeated_cursor", "path": "/historical/markets$", "times": 99})
    pages, _ = read_until_error(exchange.historical_markets(start=start), RepeatedCursor)
    assert len(pages) == 1


def test_the_next_page_is_fetched_while_the_caller_works_on_this_one(
    exchange_server: ExchangeServer, exchange: Exchange
) -> None:
    def seen() -> int:
        return int(exchange_server.stats()["by_path"].get("/trade-api/v2/markets", 0))

    before = seen()
    with read_ahead(exchange.markets(series_ticker=WIDE)) as pages:
        next(pages)
        assert eventually(lambda: seen() == before + 2)
        assert len(list(pages)) == 2
        assert seen() == before + 3


def test_a_caller_that_stops_early_leaves_no_thread_behind(exchange: Exchange) -> None:
    with read_ahead(exchange.markets(series_ticker=WIDE)) as pages:
        next(pages)
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("read-ahead")]
    assert exchange.traffic.requests <= 2


def eventually(condition: Callable[[], bool]) -> bool:
    for _ in range(200):
        if condition():
            return True
        time.sleep(0.02)
    return False


CURSORS = st.sampled_from(["", *"abcdef"])


@given(links=st.fixed_dictionaries(dict.fromkeys("abcdef", CURSORS)), start=CURSORS.map(lambda c: c or None))
def test_no_page_is_requested_twice_and_every_list_ends(links: dict[str, str], start: str | None) -> None:
    asked: list[str | None] = []

    def fetch(cursor: str | None, number: int) -> Page[Market]:
        asked.append(cursor)
        assert number == len(asked)
        return Page("/markets", number, [], [], links[cursor or "a"])

    pages: list[Page[Market]] = []
    try:
        with read_ahead(paginate(fetch, start=start)) as prefetched:
            pages.extend(prefetched)
    except RepeatedCursor:
        assert pages[-1].cursor in asked
    else:
        assert pages[-1].cursor == ""
    assert len(asked) == len(set(asked)) == len(pages)


@given(items=st.lists(st.integers()), fails=st.booleans())
def test_reading_ahead_changes_neither_the_items_nor_the_error_at_their_end(items: list[int], fails: bool) -> None:
    def source() -> Iterator[int]:
        yield from items
        if fails:
            raise PageCapReached("the list goes on")

    read: list[int] = []
    try:
        with read_ahead(source()) as prefetched:
            read.extend(prefetched)
    except PageCapReached:
        assert fails
    else:
        assert not fails
    assert read == items
