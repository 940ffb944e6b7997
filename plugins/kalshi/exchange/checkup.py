"""Whether an exchange can be used: its status, its clock, the key with its scope, and the rate."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from email.utils import parsedate_to_datetime

import msgspec
import requests

from kalshi.diagnosis import Diagnosis, clock
from kalshi.exchange.client import READ, Exchange
from kalshi.exchange.config import TOKENS_PER_REQUEST, ExchangeConfig
from kalshi.exchange.transport import root_cause


def examine(config: ExchangeConfig, connect: Callable[[], Exchange]) -> Iterator[Diagnosis]:
    """Check the exchange's status and clock and, with a key, the key's scope and the account's limit.

    ``connect`` gives a client with the key; it may raise, and so may the client:

    Raises:
        ExchangeError: the exchange refused the key, or became unavailable.
    """
    try:
        answer = requests.get(f"{config.base_url}/exchange/status", timeout=config.timeout, allow_redirects=False)
    except requests.RequestException as error:
        words = f"can't be reached ({root_cause(error)}): check the network and the host of kalshi_default."
        yield Diagnosis("exchange", "fail", f"{config.base_url} {words}")
        return
    if not answer.ok:
        todo = "try again later" if answer.status_code >= 500 else "check the host of kalshi_default"
        yield Diagnosis("exchange", "fail", f"{config.base_url} returns HTTP {answer.status_code}: {todo}.")
        return
    yield _status(config, answer.content)
    if "Date" in answer.headers:
        yield clock("exchange's clock", parsedate_to_datetime(answer.headers["Date"]))
    rate = config.requests_per_second
    if not config.key_id:
        yield Diagnosis("key", "ok", "none: public data only")
        yield Diagnosis("requests", "ok", f"{rate:g} per second; with a key, the account's own limit is checked too")
        return
    with connect() as exchange:
        yield from _key(config, exchange)


class _Status(msgspec.Struct):
    exchange_active: bool
    trading_active: bool


def _status(config: ExchangeConfig, body: bytes) -> Diagnosis:
    """The exchange's own status. While trading is paused, its data can still be read."""
    try:
        status = msgspec.json.decode(body, type=_Status)
    except msgspec.DecodeError:
        words = f"{config.base_url} responds, but not like Kalshi's API: check the host of kalshi_default."
        return Diagnosis("exchange", "fail", words)
    if not status.exchange_active:
        return Diagnosis("exchange", "warn", f"{config.base_url} reports that the exchange is paused: try again later")
    return Diagnosis("exchange", "ok", config.base_url + ("" if status.trading_active else ", trading is paused"))


def _key(config: ExchangeConfig, exchange: Exchange) -> Iterator[Diagnosis]:
    """Whether the key is accepted, what it may read, and how often."""
    scope = exchange.scope()
    if scope != READ:
        yield Diagnosis("key", "ok", "accepted")
        may = f"may read {scope} only" if scope else "may read neither positions nor the balance"
        yield Diagnosis("scope", "fail", f"The key {may}: give it the scope {READ} in Kalshi's account settings.")
        return
    limits = exchange.account_limits()
    yield Diagnosis("key", "ok", f"accepted; tier {limits.usage_tier}")
    yield Diagnosis("scope", "ok", f"{scope}: the portfolio can be read")
    yield _rate(config, limits.read.refill_rate / TOKENS_PER_REQUEST)


def _rate(config: ExchangeConfig, allowed: float) -> Diagnosis:
    rate = config.requests_per_second
    if rate > allowed:
        words = f"{rate:g} per second, {allowed:g} allowed: lower extra.requests_per_second."
        return Diagnosis("requests", "fail", words)
    return Diagnosis("requests", "ok", f"{rate:g} per second of {allowed:g} allowed")
