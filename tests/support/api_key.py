"""API keys generated for a test."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa
from pydantic import SecretStr


@dataclass(frozen=True)
class ApiKey:
    """A key's id, its private half as PEM, and the file of its public half."""

    id: str
    private_pem: str
    public_file: Path

    @property
    def secret(self) -> SecretStr:
        """The private half, as our code takes it."""
        return SecretStr(self.private_pem)

    @property
    def argument(self) -> str:
        """What makes the sandbox accept it."""
        return f"--key={self.id}={self.public_file}"

    @property
    def secrets(self) -> list[str]:
        """Pieces of the private half that must not be seen anywhere."""
        return [line for line in self.private_pem.splitlines() if not line.startswith("-----")]


def make_key(kind: str, folder: Path) -> ApiKey:
    """A fresh key; ``kind`` is rsa or ed25519."""
    key: rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey
    key = rsa.generate_private_key(65537, 2048) if kind == "rsa" else ed25519.Ed25519PrivateKey.generate()
    pem = serialization.Encoding.PEM
    private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    public_file = folder / f"{kind}.pem"
    public_file.write_bytes(key.public_key().public_bytes(pem, serialization.PublicFormat.SubjectPublicKeyInfo))
    return ApiKey(f"the-id-of-{kind}", private.decode(), public_file)
