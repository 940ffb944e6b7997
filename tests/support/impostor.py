"""Somebody between a client and its MySQL server, who asks the client for a file of its machine."""

from __future__ import annotations

import socket
import struct
import threading
from collections.abc import Callable
from contextlib import ExitStack, suppress
from pathlib import Path

from pymysql.constants import CLIENT, COMMAND


class Impostor:
    """Passes everything on, except that statements which hold ``marker`` are answered by the request for ``file``.

    ``port``: where it listens, on the loopback address. Use it as a context manager.
    ``taken``: what clients sent as that file. ``asked``: how often it asked. ``offers``: for each client that logged
    in, whether it said that it would send files at all.
    """

    def __init__(self, server_port: int, file: Path, marker: bytes) -> None:
        self.file = file
        self.marker = marker
        self.taken = bytearray()
        self.asked = 0
        self.offers: list[bool] = []
        self._server_port = server_port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]

    def __enter__(self) -> Impostor:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return  # closed
            threading.Thread(target=self._stand_between, args=(client,), daemon=True).start()

    def _stand_between(self, client: socket.socket) -> None:
        with ExitStack() as stack:
            stack.enter_context(client)
            server = stack.enter_context(socket.create_connection(("127.0.0.1", self._server_port)))
            threading.Thread(target=_pass_on, args=(server, client), daemon=True).start()
            stack.callback(_hang_up, server)
            read = client.makefile("rb").read
            login = _packet(read)
            self.offers.append(bool(struct.unpack_from("<I", login, 4)[0] & CLIENT.LOCAL_FILES))
            server.sendall(login)
            while packet := _packet(read):
                if packet[4:5] == bytes([COMMAND.COM_QUERY]) and self.marker in packet:
                    self._ask(client, read)
                else:
                    server.sendall(packet)

    def _ask(self, client: socket.socket, read: Callable[[int], bytes]) -> None:
        """Ask for the file, take what comes, and say OK to it."""
        self.asked += 1
        request = b"\xfb" + str(self.file).encode()
        client.sendall(_header(len(request), 1) + request)
        number = 1
        while packet := _packet(read):
            number = packet[3]
            if not packet[4:]:
                break
            self.taken += packet[4:]
        client.sendall(_header(7, number + 1) + b"\x00\x00\x00\x02\x00\x00\x00")


def _header(length: int, number: int) -> bytes:
    return length.to_bytes(3, "little") + bytes([number % 256])


def _packet(read: Callable[[int], bytes]) -> bytes:
    """One packet with its header; empty where the client has hung up."""
    header = read(4)
    return header + read(int.from_bytes(header[:3], "little"))


def _pass_on(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):  # one of them has hung up
        while data := source.recv(2**16):
            target.sendall(data)
    _hang_up(target)


def _hang_up(end: socket.socket) -> None:
    with suppress(OSError):  # it has done so itself
        end.shutdown(socket.SHUT_RDWR)
