"""Access control: signatures, scopes and the rate limit's token bucket."""

from __future__ import annotations

import base64
import binascii
import time
from collections import Counter
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import NamedTuple

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ed25519, padding, rsa

TOKENS_PER_REQUEST = 10
BUCKET_SECONDS = 2.0
SKEW_SECONDS = 30.0
MADE_KEY = "sandbox"
"""The id of the key that the sandbox makes."""
READ, READ_BALANCE = "read", "read::portfolio_balance"
"""Scopes of a key: everything, or the balance alone."""


class Refusal(NamedTuple):
    """Why a request is refused, in the exchange's words."""

    status: int
    code: str
    message: str
    details: str = ""


class Keys:
    """API keys by id, with their public keys and scopes."""

    def __init__(self) -> None:
        self._keys: dict[str, ed25519.Ed25519PublicKey | rsa.RSAPublicKey] = {}
        self._scopes: dict[str, frozenset[str]] = {}

    def add(self, key_id: str, public_pem: bytes, scopes: Collection[str] = (READ,)) -> None:
        key = serialization.load_pem_public_key(public_pem)
        if not isinstance(key, ed25519.Ed25519PublicKey | rsa.RSAPublicKey):
            raise ValueError("A key must be RSA or Ed25519.")
        self._keys[key_id] = key
        self._scopes[key_id] = frozenset(scopes)

    def refusal(
        self, method: str, path: str, headers: Mapping[str, str], scopes: Collection[str] = (READ,)
    ) -> Refusal | None:
        """Why a signed request is refused; None if its signature is valid and its key has one of the scopes."""
        key_id = headers.get("kalshi-access-key", "")
        key = self._keys.get(key_id)
        stamp = headers.get("kalshi-access-timestamp", "")
        if key is None:
            return Refusal(401, "authentication_error", "unknown api key", "NOT_FOUND")
        if not stamp.isdigit() or abs(int(stamp) / 1000 - time.time()) > SKEW_SECONDS:
            return Refusal(401, "header_timestamp_expired", "timestamp out of range")
        text = f"{stamp}{method}{path}".encode()
        try:
            signature = base64.b64decode(headers.get("kalshi-access-signature", ""), validate=True)
            if isinstance(key, ed25519.Ed25519PublicKey):
                key.verify(signature, text)
            else:
                pss = padding.PSS(padding.MGF1(hashes.SHA256()), padding.PSS.DIGEST_LENGTH)
                key.verify(signature, text, pss, hashes.SHA256())
        except (InvalidSignature, binascii.Error):
            details = "INCORRECT_API_KEY_SIGNATURE"
            return Refusal(401, "authentication_error", "signature does not match", details)
        if self._scopes[key_id].isdisjoint(scopes):
            return Refusal(403, "insufficient_scope", f"the key lacks the scope {' or '.join(scopes)}")
        return None


def make_key(file: Path) -> bytes:
    """Generate a key pair, write the private key as PEM into a file only its owner can read, return the public key."""
    key = ed25519.Ed25519PrivateKey.generate()
    pem, plain = serialization.Encoding.PEM, serialization.NoEncryption()
    file.unlink(missing_ok=True)
    file.touch(0o600, exist_ok=False)
    file.write_bytes(key.private_bytes(pem, serialization.PrivateFormat.PKCS8, plain))
    return key.public_key().public_bytes(pem, serialization.PublicFormat.SubjectPublicKeyInfo)


class RateLimit:
    """A token bucket that holds two seconds' worth; ``requests_per_second`` 0 means no limit. Counts requests."""

    def __init__(self, requests_per_second: float) -> None:
        self._rate = requests_per_second * TOKENS_PER_REQUEST
        self._tokens = self._capacity = self._rate * BUCKET_SECONDS
        self._last = time.monotonic()
        self.by_second: Counter[int] = Counter()
        self.by_path: Counter[str] = Counter()
        self.refused = 0

    def admits(self, path: str) -> bool:
        now = time.monotonic()
        self.by_second[int(time.time())] += 1
        self.by_path[path] += 1
        if not self._rate:
            return True
        self._tokens = min(self._capacity, self._tokens + (now - self._last) * self._rate)
        self._last = now
        if self._tokens < TOKENS_PER_REQUEST:
            self.refused += 1
            return False
        self._tokens -= TOKENS_PER_REQUEST
        return True
