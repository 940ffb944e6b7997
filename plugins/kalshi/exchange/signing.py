"""Request signing with an RSA or Ed25519 key.

The signed text is ``<milliseconds since 1970><METHOD><path>``; the path starts at ``/trade-api/v2``
and leaves the query out. RSA keys sign with PSS, SHA-256, MGF1-SHA256 and a salt as long as the
digest; Ed25519 keys sign the same text directly. Source: Kalshi docs, "Quick start: authenticated
requests", and the official client's ``auth.py``.
"""

from __future__ import annotations

import base64
import time
from collections.abc import Callable
from urllib.parse import urlsplit

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ed25519, padding, rsa
from pydantic import SecretStr
from requests import PreparedRequest
from requests.auth import AuthBase


def _load_signer(private_key_pem: SecretStr) -> Callable[[bytes], bytes]:
    try:
        # The text of the key is in no variable: a traceback may show those.
        key = serialization.load_pem_private_key(private_key_pem.get_secret_value().strip().encode(), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        # "from None": the parser's own message may quote parts of the key.
        raise ValueError(
            "The private key of kalshi_default can't be read: it must be an unencrypted PEM of an RSA "
            f"or Ed25519 key, with its line breaks ({type(error).__name__})."
        ) from None
    if isinstance(key, ed25519.Ed25519PrivateKey):
        return key.sign
    if isinstance(key, rsa.RSAPrivateKey):
        rsa_key = key
        pss = padding.PSS(padding.MGF1(hashes.SHA256()), padding.PSS.DIGEST_LENGTH)
        return lambda text: rsa_key.sign(text, pss, hashes.SHA256())
    raise ValueError(f"The private key of kalshi_default must be RSA or Ed25519, not {type(key).__name__}.")


class KeySignature(AuthBase):
    """Signs each request as it leaves, so that a retry carries a fresh timestamp."""

    def __init__(self, key_id: str, private_key_pem: SecretStr) -> None:
        self._key_id = key_id
        self._sign = _load_signer(private_key_pem)

    def __call__(self, request: PreparedRequest) -> PreparedRequest:
        timestamp = str(time.time_ns() // 1_000_000)
        text = f"{timestamp}{(request.method or 'GET').upper()}{urlsplit(request.url or '').path}"
        request.headers["KALSHI-ACCESS-KEY"] = self._key_id
        request.headers["KALSHI-ACCESS-TIMESTAMP"] = timestamp
        request.headers["KALSHI-ACCESS-SIGNATURE"] = base64.b64encode(self._sign(text.encode())).decode()
        return request

    def __repr__(self) -> str:
        return "KeySignature(…)"
