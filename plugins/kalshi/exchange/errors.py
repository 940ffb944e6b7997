"""What can go wrong between us and the exchange, in words that say where and what to do."""

from __future__ import annotations

from typing import ClassVar


class ExchangeError(Exception):
    """Base of every error of this package. Messages never hold headers, keys or signatures."""


class RequestRefused(ExchangeError):
    """The exchange refused the request for good (4xx other than 429). Trying again is no use."""

    ADVICE: ClassVar[dict[int, str]] = {
        400: "The request itself is wrong: check the parameters against Kalshi's API documentation.",
        401: "The signature was not accepted: check the key id, the private key and this machine's clock.",
        403: "The key lacks the scope for this: give it read access in Kalshi's account settings.",
        404: "There is no such thing at this address: check the ticker and the base URL.",
    }

    CREDENTIALS: ClassVar[dict[str, str]] = {
        "timestamp": "This machine's clock is wrong: set it (the exchange tolerates seconds, not minutes).",
        "INCORRECT_API_KEY_SIGNATURE": "The private key does not belong to the key id: check login and password of "
        "kalshi_default.",
        "NOT_FOUND": "The exchange knows no such key id: check the login of kalshi_default, and that its host and its "
        "key are of the same environment (prod or demo).",
    }
    """What the exchange's words for a 401 mean."""

    def __init__(self, method: str, path: str, status: int, answer: str) -> None:
        self.method, self.path, self.status, self.answer = method, path, status, answer
        advice = self.ADVICE.get(status, "Check the request against Kalshi's API documentation.")
        if status == 401:
            advice = next((said for word, said in self.CREDENTIALS.items() if word in answer), advice)
        super().__init__(f"{method} {path} was refused with HTTP {status}: {answer}. {advice}")


class ExchangeUnavailable(ExchangeError):
    """Gave up after every retry; the message holds the last failure."""


class RepeatedCursor(ExchangeError):
    """A page pointed back to itself or an earlier page, so the rest of the list can't be reached."""


class PageCapReached(ExchangeError):
    """The list goes on after ``max_pages`` pages."""


class TransientFault(Exception):
    """Internal: a failure worth another attempt (429, 5xx, connection fault, unreadable body)."""
