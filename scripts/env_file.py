"""``make env``: ``.env`` for docker-compose.yaml, with a secret of its own in every empty place of ``.env.example``.

It needs nothing but Python, so that a machine with only Docker on it can run it.
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
        raise SystemExit(f"{target} is there already and holds the passwords of your volumes: it stays.") from None
    print(f"Made {target}. The password of the user admin is UI_PASSWORD in it.")


def _secret() -> str:
    """32 random bytes in the form that Fernet wants; safe in a URI and in quotes."""
    return base64.urlsafe_b64encode(secrets.token_bytes(32)).decode()


if __name__ == "__main__":
    main()
