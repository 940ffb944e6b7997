"""How the client handles every fault that the sandbox can produce."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
from typing import ClassVar

import pytest

from kalshi.exchange import Exchange, ExchangeConfig, ExchangeUnavailable, RequestRefused, RetryPolicy
from kalshi.exchange.transport import _retry_after
from kalshi.records import Market, Rejected
from tests.support.exchange_server import ExchangeServer, quick_config

WIDE = "KXSANDBOXWIDE"
FLEETING = [("http_429", 3), ("http_500", 2), ("http_502", 1), ("dropped_connection", 2), ("truncated_json", 2)]
LASTING = [
    ("http_429", "HTTP 429: too many requests"),
    ("http_500", "HTTP 500: internal_server_error: internal error"),
    ("http_502", "HTTP 502: Bad Gateway"),
    ("dropped_connection", "the connection broke"),
    ("truncated_json", "unusable JSON"),
]


def wide_markets(exchange: Exchange) -> tuple[list[str], list[Rejected]]:
    """The tickers of 2,500 markets on three pages, and what was rejected."""
    pages = list(exchange.markets(series_ticker=WIDE))
    found = [found.record.ticker for page in pages for found in page.records]
    return found, [rejected for page in pages for rejected in page.rejected]


@pytest.mark.parametrize(("kind", "times"), FLEETING)
def test_a_fault_in_the_middle_of_a_list_is_waited_out_and_nothing_is_missing(
    exchange_server: ExchangeServer, exchange: Exchange, kind: str, times: int
) -> None:
    exchange_server.faults({"kind": kind, "path": "/markets$", "skip": 1, "times": times})
    tickers, rejected = wide_markets(exchange)
    assert len(tickers) == len(set(tickers)) == 2500
    assert not rejected
    assert exchange.traffic.retries == times
    assert exchange.traffic.requests == 3 + times


def test_a_busy_exchange_is_given_the_time_that_it_asks_for(
    exchange_server: ExchangeServer, exchange: Exchange
) -> None:
    exchange_server.faults({"kind": "http_429", "path": "/cutoff", "value": "1"})
    before = time.monotonic()
    exchange.historical_cutoff()
    assert time.monotonic() - before >= 1
    assert exchange.traffic.retries == 1


def test_clients_that_fail_together_do_not_come_back_together(
    exchange_server: ExchangeServer, caplog: pytest.LogCaptureFixture
) -> None:
    exchange_server.faults({"kind": "http_500", "path": "/cutoff", "times": 99})
    for _ in range(4):
        with (
            Exchange(quick_config(exchange_server, retry=RetryPolicy(2, 0.05, 0.05))) as exchange,
            pytest.raises(ExchangeUnavailable),
        ):
            exchange.historical_cutoff()
    waits = [record.args[-1] for record in caplog.records if isinstance(record.args, tuple) and record.args]
    assert len(set(waits)) == len(waits) == 4


@pytest.mark.parametrize(
    ("header", "seconds"),
    [(None, 0), ("", 0), ("3", 3), ("0.5", 0.5), ("86400", 120), ("-3", 0), ("nan", 0), ("inf", 0), ("soon", 0)],
)
def test_what_an_exchange_asks_for_is_seconds_within_reason(header: str | None, seconds: float) -> None:
    assert _retry_after(header) == seconds


def test_an_exchange_may_ask_for_a_date() -> None:
    soon = datetime.now(UTC) + timedelta(seconds=50)
    assert 40 < _retry_after(format_datetime(soon, usegmt=True)) <= 50
    assert _retry_after("Mon, 02 Mar 2026 12:00:00 GMT") == 0, "it is past"


def test_a_response_slower_than_the_timeout_is_requested_again(exchange_server: ExchangeServer) -> None:
    exchange_server.faults({"kind": "slow", "value": 2, "path": "/cutoff"})
    with Exchange(quick_config(exchange_server, timeout=(2.0, 0.5))) as exchange:
        assert exchange.historical_cutoff().markets_settled.year == 2026
        assert exchange.traffic.retries >= 1


@pytest.mark.parametrize(("kind", "words"), LASTING)
def test_a_fault_that_lasts_is_given_up_in_words_that_say_what_was_seen_last(
    exchange_server: ExchangeServer, exchange: Exchange, kind: str, words: str
) -> None:
    exchange_server.faults({"kind": kind, "path": "/cutoff", "times": 99})
    with pytest.raises(ExchangeUnavailable) as error:
        exchange.historical_cutoff()
    assert "GET /historical/cutoff after 4 attempts" in str(error.value)
    assert words in str(error.value)
    assert (exchange.traffic.requests, exchange.traffic.retries) == (4, 3)


def test_an_exchange_that_never_responds_in_time_is_given_up(exchange_server: ExchangeServer) -> None:
    exchange_server.faults({"kind": "slow", "value": 2, "path": "/cutoff", "times": 99})
    with (
        Exchange(quick_config(exchange_server, timeout=(2.0, 0.2))) as exchange,
        pytest.raises(ExchangeUnavailable, match=r"the response timed out. to GET /historical/cutoff"),
    ):
        exchange.historical_cutoff()


def test_a_host_where_nobody_listens_is_given_up(exchange_server: ExchangeServer) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        nowhere = f"http://127.0.0.1:{unused.getsockname()[1]}/trade-api/v2"
        config = quick_config(exchange_server)
        with (
            Exchange(replace(config, base_url=nowhere)) as exchange,
            pytest.raises(ExchangeUnavailable, match=r"127\.0\.0\.1 .the connection was refused. to GET"),
        ):
            exchange.historical_cutoff()


def test_a_list_that_fails_for_good_still_gives_the_pages_before(
    exchange_server: ExchangeServer, exchange: Exchange
) -> None:
    exchange_server.faults({"kind": "http_500", "path": "/markets$", "skip": 2, "times": 99})
    pages = exchange.markets(series_ticker=WIDE)
    assert [len(next(pages).records) for _ in range(2)] == [1000, 1000]
    with pytest.raises(ExchangeUnavailable, match=r"GET /markets .*HTTP 500"):
        next(pages)


def test_a_response_without_its_list_is_not_taken_for_an_empty_list(
    exchange_server: ExchangeServer, exchange: Exchange
) -> None:
    exchange_server.faults({"kind": "missing_list", "path": "/(markets|events)$", "times": 99})
    for pages in (exchange.markets(), exchange.events(), exchange.historical_markets()):
        with pytest.raises(ExchangeUnavailable, match="unusable JSON"):
            list(pages)


@pytest.mark.parametrize(
    ("kind", "reason"), [("malformed_market", "close_time"), ("integer_cents", "cents in the old API")]
)
def test_one_bad_market_is_set_apart_with_its_reason_and_the_others_come(
    exchange_server: ExchangeServer, exchange: Exchange, kind: str, reason: str
) -> None:
    exchange_server.faults({"kind": kind, "path": "/markets$", "skip": 1})
    tickers, [rejected] = wide_markets(exchange)
    assert len(set(tickers)) == 2499
    assert rejected.endpoint == "/markets"
    assert reason in rejected.reason
    assert b'"ticker":"KXSANDBOXWIDE-99DEC31-T1000"' in rejected.raw
    assert exchange.traffic.retries == 0


def test_fields_that_a_test_sets_on_a_market_arrive(exchange_server: ExchangeServer, exchange: Exchange) -> None:
    ticker = f"{WIDE}-99DEC31-T1500"
    changed = {"ticker": ticker, "result": "yes", "status": "amended", "close_time": "(missing)"}
    exchange_server.faults({"kind": "set_market", "path": "/markets$", "value": changed, "times": 9})
    [market] = [
        found.record
        for page in exchange.markets(series_ticker=WIDE)
        for found in page.records
        if found.record.ticker == ticker
    ]
    assert (market.result, market.status, market.close_time) == ("yes", "amended", None)


REFUSALS: list[tuple[Callable[[Exchange], object], str, int, str, str]] = [
    (lambda e: list(e.markets(status="bogus")), "/markets", 400, "invalid status: bogus", "check the parameters"),
    (lambda e: list(e.events(status="paused")), "/events", 400, "invalid status: paused", "check the parameters"),
    (lambda e: e.series("KXNOSUCH"), "/series/KXNOSUCH", 404, "series KXNOSUCH not found", "check the ticker"),
    (lambda e: e.series("a/b?c"), "/series/a%2Fb%3Fc", 404, "Not Found", "check the ticker"),
]


@pytest.mark.parametrize(("ask", "path", "status", "answer", "advice"), REFUSALS)
def test_a_refused_request_is_not_repeated_and_says_what_to_do(
    exchange: Exchange, ask: Callable[[Exchange], object], path: str, status: int, answer: str, advice: str
) -> None:
    with pytest.raises(RequestRefused) as refusal:
        ask(exchange)
    assert f"GET {path} was refused with HTTP {status}: " in str(refusal.value)
    assert answer in str(refusal.value)
    assert advice in str(refusal.value)
    assert refusal.value.status == status
    assert (exchange.traffic.requests, exchange.traffic.retries) == (1, 0)


def test_a_key_without_the_scope_is_refused_at_once(exchange_server: ExchangeServer, exchange: Exchange) -> None:
    exchange_server.faults({"kind": "http_403", "path": "/cutoff", "times": 9})
    with pytest.raises(RequestRefused, match=r"403: forbidden: .*give it read access"):
        exchange.historical_cutoff()
    assert exchange.traffic.requests == 1


def test_a_series_comes_with_its_bytes(exchange: Exchange) -> None:
    (series,) = exchange.series("KXHIGHNY").records
    assert series.record.ticker == "KXHIGHNY"
    assert b'"settlement_sources":[{' in series.raw


def test_all_series_come_in_one_answer(exchange: Exchange) -> None:
    page = exchange.all_series()
    assert (exchange.traffic.requests, page.rejected, page.cursor) == (1, [], None)
    assert {"KXHIGHNY", "KXHIGHMIA"} < {found.record.ticker for found in page.records}


def test_a_log_line_tells_of_every_retry(
    exchange_server: ExchangeServer, exchange: Exchange, caplog: pytest.LogCaptureFixture
) -> None:
    exchange_server.faults({"kind": "http_429", "path": "/cutoff", "times": 2})
    exchange.historical_cutoff()
    told = [record.getMessage() for record in caplog.records if record.name.startswith("kalshi")]
    assert len(told) == 2
    assert all("GET /historical/cutoff: HTTP 429: too many requests" in line for line in told)


def test_a_market_keeps_the_bytes_that_the_exchange_sent(exchange_server: ExchangeServer, exchange: Exchange) -> None:
    ticker = f"{WIDE}-99DEC31-T7"
    [page] = exchange.markets(tickers=ticker)
    [found] = page.records
    assert isinstance(found.record, Market)
    assert found.raw in exchange_server.get("/markets", tickers=ticker).content


@pytest.mark.parametrize("kind", ["http_500", "http_429", "http_403"])
def test_clock_and_identity_need_no_good_answer(exchange_server: ExchangeServer, exchange: Exchange, kind: str) -> None:
    exchange_server.faults({"kind": kind, "path": "/exchange/status", "times": 99})
    assert abs(exchange.now() - datetime.now(UTC)) < timedelta(days=1)
    assert (exchange.identity().name, exchange.identity().is_synthetic) == ("sandbox, seed 1", True)
    assert (exchange.traffic.requests, exchange.traffic.retries) == (1, 0)


class _Failing(BaseHTTPRequestHandler):
    """Fails with each of ``statuses`` once, and then answers with an empty list."""

    statuses: ClassVar[list[int]] = []

    def do_GET(self) -> None:
        self.send_response(self.statuses.pop(0) if self.statuses else 200)
        self.end_headers()
        self.wfile.write(b'{"events": []}')

    def log_message(self, *_: object) -> None:
        pass


def test_every_failure_of_a_server_is_waited_out() -> None:
    _Failing.statuses = [500, 501, 502, 503, 504, 520, 529, 599]
    policy = RetryPolicy(len(_Failing.statuses) + 1, 0.01, 0.05)
    with HTTPServer(("127.0.0.1", 0), _Failing) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        config = ExchangeConfig(f"http://127.0.0.1:{server.server_port}/trade-api/v2", retry=policy)
        with Exchange(config) as exchange:
            (page,) = exchange.events()
            assert (page.records, exchange.traffic.retries) == ([], policy.attempts - 1)
        server.shutdown()


class _Paused(BaseHTTPRequestHandler):
    """Answers 503 to everything, with a clock that is an hour behind; the first answer comes without one."""

    answered = 0

    def do_GET(self) -> None:
        self.send_response_only(503)
        if type(self).answered:
            self.send_header("Date", format_datetime(datetime.now(UTC) - timedelta(hours=1), usegmt=True))
        type(self).answered += 1
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


def test_the_clock_of_an_exchange_that_is_paused_is_read_from_its_refusals() -> None:
    with HTTPServer(("127.0.0.1", 0), _Paused) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        config = ExchangeConfig(f"http://127.0.0.1:{server.server_port}/trade-api/v2", retry=RetryPolicy(3, 0.01, 0.05))
        with Exchange(config) as exchange:
            behind = datetime.now(UTC) - exchange.now()
            assert timedelta(minutes=59) < behind < timedelta(minutes=61)
            assert exchange.traffic.requests == 2
            assert exchange.identity().name == config.base_url
            assert exchange.traffic.requests == 2
        server.shutdown()


def test_the_clock_of_an_exchange_that_cannot_be_reached_is_given_up(exchange_server: ExchangeServer) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        nowhere = f"http://127.0.0.1:{unused.getsockname()[1]}/trade-api/v2"
        with (
            Exchange(replace(quick_config(exchange_server), base_url=nowhere)) as exchange,
            pytest.raises(ExchangeUnavailable, match="GET /exchange/status"),
        ):
            exchange.now()
