"""The address of a warehouse that is given as a connection's URI."""

from __future__ import annotations

import sqlalchemy as sa
from pydantic import SecretStr

from kalshi.warehouse.server import ServerAddress


def address_of(uri: str) -> ServerAddress:
    url = sa.make_url(uri)
    password = SecretStr(url.password or "")
    return ServerAddress(url.host or "", url.database or "", url.username or "", password, url.port or 3306)
