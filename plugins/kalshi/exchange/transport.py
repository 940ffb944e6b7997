"""One GET: budget, signature, retries, errors. It knows nothing about pages or records."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from math import isfinite
from typing import Any, TypeVar
from urllib.parse import urlsplit

import msgspec
import requests
import tenacity

from kalshi.exchange.budget import LocalBudget, RequestBudget
from kalshi.exchange.config import ExchangeConfig
from kalshi.exchange.errors import ExchangeError, ExchangeUnavailable, RequestRefused, TransientFault
from kalshi.exchange.signing import KeySignature
from kalshi.text import one_line

log = logging.getLogger(__name__)
Answer = TypeVar("Answer")
LONG_WAIT = 5.0
TOLERATED_OFFSET = timedelta(seconds=5)
"""The Date header has whole seconds, and is stale by the network latency."""
SYNTHETIC = "X-Synthetic-Exchange"
"""The header in which an exchange with synthetic data says so; its value is the exchange's name."""
LONGEST_ASKED = 120.0
"""How many seconds to wait at most because the exchange asks for it: later, the task tries again."""
LONGEST_NAME = 190
LONGEST_QUOTE = 300
"""How many characters of the exchange's error body go into a message."""


@dataclass
class Traffic:
    """What one job's requests cost. ``throttled_seconds`` is the time spent waiting for the budget."""

    requests: int = 0
    retries: int = 0
    throttled_seconds: float = 0.0


@dataclass(frozen=True)
class Identity:
    """Which exchange answers. ``name``: its base URL (see ``ExchangeConfig.exchange_name``), or the name that a
    synthetic one gives itself."""

    name: str
    is_synthetic: bool = False


Admit = Callable[[Identity], None]
"""Is shown who sent each successful response, before anything of it is used; raises to refuse it."""


def _quote(body: bytes) -> str:
    """The exchange's own message on one line, from any of the error bodies it is known to send."""
    text = body.decode("utf-8", "replace")
    try:
        error: Any = msgspec.json.decode(body)
    except msgspec.DecodeError:
        error = text
    if isinstance(error, dict) and "error" in error:
        error = error["error"]
    if isinstance(error, dict):
        parts = [str(error[name]) for name in ("code", "message", "details") if error.get(name)]
        error = ": ".join(parts) or text
    line = one_line(str(error))
    return (line[:LONGEST_QUOTE] + "…") if len(line) > LONGEST_QUOTE else (line or "(empty body)")


def root_cause(error: BaseException) -> str:
    """Why a request failed, without the URL, which may contain more than the host."""
    cause: Any = error.args[0] if error.args else error
    cause = getattr(cause, "reason", cause)
    name = type(cause).__name__ if isinstance(cause, BaseException) else type(error).__name__
    words = {
        "NameResolutionError": "its name can't be resolved",
        "NewConnectionError": "the connection was refused",
        "ConnectTimeoutError": "the connection timed out",
        "ReadTimeoutError": "the response timed out",
        "ProtocolError": "the connection broke",
    }
    return words.get(name, name)


def _ahead(date: str | None) -> timedelta | None:
    """How far the time in a header is ahead of our clock; None without a usable header."""
    try:
        return parsedate_to_datetime(date or "") - datetime.now(UTC)
    except (TypeError, ValueError):  # no date, or one without a time zone
        return None


def _clock_offset(date: str | None) -> timedelta | None:
    """How far the clock that wrote this header is ahead of ours; 0 if negligible, None without a usable header."""
    offset = _ahead(date)
    return timedelta(0) if offset is not None and abs(offset) <= TOLERATED_OFFSET else offset


def _retry_after(header: str | None) -> float:
    """The seconds that a Retry-After header asks for, in either of its forms; 0 without a usable one.

    Kalshi doesn't document one, but what stands between us and the exchange may send it.
    """
    if not header:
        return 0
    try:
        seconds = float(header)
    except ValueError:
        seconds = (_ahead(header) or timedelta(0)).total_seconds()
    return min(max(seconds, 0), LONGEST_ASKED) if isfinite(seconds) else 0


class Transport:
    """Sends GET requests to one exchange and decodes the responses. One per thread.

    ``clock_offset``: how far the exchange's clock was ahead of ours at its last response; None before the first.
    ``identity``: which exchange sent the last successful response or, before there was one, the last response;
    None before the first.
    """

    def __init__(self, config: ExchangeConfig, budget: RequestBudget | None = None, admit: Admit | None = None) -> None:
        self.traffic = Traffic()
        self.clock_offset: timedelta | None = None
        self.identity: Identity | None = None
        self._is_identified = False
        self._admit = admit
        self._config = config
        self._host = urlsplit(config.base_url).hostname
        self._budget = budget or LocalBudget(config.requests_per_second)
        self._session = requests.Session()
        self._session.headers["User-Agent"] = "kalshi-warehouse"
        if config.key_id and config.private_key_pem:
            self._session.auth = KeySignature(config.key_id, config.private_key_pem)
        else:
            # Without this, requests would look for credentials in ~/.netrc.
            self._session.auth = lambda request: request

    def close(self) -> None:
        self._session.close()

    def get(self, path: str, answer_type: type[Answer], **params: Any) -> Answer:
        """GET ``path`` (below ``/trade-api/v2``) and decode the JSON response as ``answer_type``.

        Parameters that are None are left out; booleans are written ``true`` and ``false``.

        Raises:
            RequestRefused: the exchange answered 4xx (other than 429).
            ExchangeUnavailable: 429, 5xx, connection errors or unreadable bodies persisted through every retry.
        """
        query = {
            name: str(value).lower() if isinstance(value, bool) else value
            for name, value in params.items()
            if value is not None
        }
        return self._retry(path, lambda: self._attempt(path, answer_type, query))

    def greet(self, path: str) -> None:
        """GET ``path`` until any response shows the clock and the identity: a refusal and a 503 show them too.

        Raises:
            ExchangeUnavailable: no such response came.
        """

        def attempt() -> None:
            response = self._send(path, {})
            if self.clock_offset is None:
                raise TransientFault(f"GET {path}: HTTP {response.status_code} without a date")

        self._retry(path, attempt)

    def _retry(self, path: str, attempt: Callable[[], Answer]) -> Answer:
        policy = self._config.retry
        retrying = tenacity.Retrying(
            retry=tenacity.retry_if_exception_type(TransientFault),
            stop=tenacity.stop_after_attempt(policy.attempts),
            wait=self._wait,
            before_sleep=self._note_retry,
        )
        try:
            return retrying(attempt)
        except tenacity.RetryError as gave_up:
            last = gave_up.last_attempt.exception()
            raise ExchangeUnavailable(
                f"Gave up on GET {path} after {policy.attempts} attempts; the last one failed with: {last}. "
                "The exchange may be down or busy: run the task again later. If it keeps failing, check the address, "
                "and whether the API has changed."
            ) from last

    def _wait(self, state: tenacity.RetryCallState) -> float:
        """Seconds until the next attempt: double each time, but no less than the exchange asks for."""
        policy = self._config.retry
        doubling = tenacity.wait_random_exponential(multiplier=policy.first_wait, max=policy.longest_wait)
        fault = state.outcome.exception() if state.outcome else None
        return max(doubling(state), fault.retry_after if isinstance(fault, TransientFault) else 0)

    def _attempt(self, path: str, answer_type: type[Answer], query: dict[str, Any]) -> Answer:
        response = self._send(path, query)
        if response.status_code == 200:
            try:
                return msgspec.json.decode(response.content, type=answer_type)
            except (msgspec.DecodeError, UnicodeDecodeError) as error:
                raise TransientFault(f"GET {path} returned unusable JSON ({error})") from error
        if response.status_code == 429 or response.status_code >= 500:
            raise TransientFault(
                f"GET {path}: HTTP {response.status_code}: {_quote(response.content)}",
                _retry_after(response.headers.get("Retry-After")),
            )
        raise RequestRefused("GET", path, response.status_code, _quote(response.content))

    def _send(self, path: str, query: dict[str, Any]) -> requests.Response:
        """One response, whatever its status; it shows the exchange's clock and identity."""
        self._wait_for_budget()
        self.traffic.requests += 1
        url = self._config.base_url.rstrip("/") + path
        try:
            # A redirect would carry the signature to another address.
            response = self._session.get(url, params=query, timeout=self._config.timeout, allow_redirects=False)
        except (requests.exceptions.SSLError, requests.exceptions.InvalidURL) as error:
            raise ExchangeError(f"GET {path} can't reach {self._host}: {root_cause(error)}.") from error
        except requests.RequestException as error:
            raise TransientFault(f"no response from {self._host} ({root_cause(error)}) to GET {path}") from error
        is_good = response.status_code == 200
        offset = _clock_offset(response.headers.get("Date"))
        if offset is not None or is_good:
            self.clock_offset = offset or timedelta(0)
        # Something between us and the exchange may have written an error, so a good response knows better.
        if is_good or not self._is_identified:
            self.identity, self._is_identified = self._identity_of(response), is_good
        if is_good and self._admit and self.identity:
            self._admit(self.identity)
        return response

    def _identity_of(self, response: requests.Response) -> Identity:
        made_up = one_line(response.headers.get(SYNTHETIC, ""))
        return Identity((made_up or self._config.exchange_name)[:LONGEST_NAME], bool(made_up))

    def _wait_for_budget(self) -> None:
        wait = self._budget.reserve()
        if wait > LONG_WAIT:
            log.info("Waiting %.0f s for the request budget.", wait)
        if wait > 0:
            time.sleep(wait)
            self.traffic.throttled_seconds += wait

    def _note_retry(self, state: tenacity.RetryCallState) -> None:
        self.traffic.retries += 1
        fault = state.outcome.exception() if state.outcome else None
        wait = state.next_action.sleep if state.next_action else 0.0
        log.warning("%s; attempt %d failed, retrying in %.1f s", fault, state.attempt_number, wait)
