"""Errors of the exchange API. Their messages say what failed, where, and what to do."""

from __future__ import annotations

from typing import ClassVar


class ExchangeError(Exception):
    """Base of every error in this package. Messages never contain headers, keys or signatures."""


class RequestRefused(ExchangeError):
    """The exchange refused the request (4xx other than 429). Retrying won't help."""

    ADVICE: ClassVar[dict[int, str]] = {
        400: "The request itself is invalid: check the parameters against Kalshi's API documentation.",
        401: "The signature was not accepted: check the key id, the private key and this machine's clock.",
        403: "The key lacks the scope for this: give it read access in Kalshi's account settings.",
        404: "Nothing exists at this address: check the ticker and the base URL.",
    }

    CREDENTIALS: ClassVar[dict[str, str]] = {
        "timestamp": "This machine's clock is wrong: set it (the exchange tolerates seconds, not minutes).",
        "INCORRECT_API_KEY_SIGNATURE": "The private key does not belong to the key id: check login and password of "
        "kalshi_default.",
        "NOT_FOUND": "The exchange doesn't know this key id: check the login of kalshi_default, and that its host and "
        "its key belong to the same environment (prod or demo).",
    }
    """What the error text of a 401 means."""

    def __init__(self, method: str, path: str, status: int, answer: str) -> None:
        self.method, self.path, self.status, self.answer = method, path, status, answer
        advice = self.ADVICE.get(status, "Check the request against Kalshi's API documentation.")
        if status == 401:
            advice = next((hint for word, hint in self.CREDENTIALS.items() if word in answer), advice)
        super().__init__(f"{method} {path} was refused with HTTP {status}: {answer}. {advice}")


class ExchangeUnavailable(ExchangeError):
    """Every retry failed; the message includes the last failure."""


class RepeatedCursor(ExchangeError):
    """A page pointed back to itself or an earlier page, so the rest of the list can't be read."""


class PageCapReached(ExchangeError):
    """The list has more than ``max_pages`` pages."""


class TransientFault(Exception):
    """Internal: a failure worth retrying (429, 5xx, connection error, unreadable body).

    ``retry_after``: how many seconds the exchange asked us to wait; 0 if it didn't.
    """

    def __init__(self, message: str, retry_after: float = 0) -> None:
        super().__init__(message)
        self.retry_after = retry_after
