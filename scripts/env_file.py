"""``make env``: ``.env`` for docker-compose.yaml: ``.env.example`` with a fresh secret in every empty value.

Needs nothing but Python, so it runs on a machine that has only Docker.
"""

from __future__ import annotations

import base64
import os
import re
import secrets
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[1]
EMPTY = re.compile(r"^(\w+)=$", re.MULTILINE)


def main() -> None:
    target = PROJECT / ".env"
    text = EMPTY.sub(lambda line: f"{line[1]}={_secret()}", (PROJECT / ".env.example").read_text(encoding="utf-8"))
    try:
        with os.fdopen(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        raise SystemExit(f"{target} exists and holds the passwords of your volumes, so it stays as it is.") from None
    print(f"Wrote {target}. UI_PASSWORD in it is the password of the user admin.")


def _secret() -> str:
    """32 random bytes, encoded as Fernet expects; safe in a URI and in quotes."""
    return base64.urlsafe_b64encode(secrets.token_bytes(32)).decode()


if __name__ == "__main__":
    main()
