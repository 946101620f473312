"""Connections to a Unix socket that are closed where they cannot be made.

The SDK's own (docker/transport/unixconn.py) leave the socket of a failed attempt to the garbage
collector, one for each time that an engine is away.
"""

from __future__ import annotations

import socket
from typing import cast

from docker.transport.unixconn import (
    UnixHTTPAdapter,
    UnixHTTPConnection,
    UnixHTTPConnectionPool,
)


class UnixAdapter(UnixHTTPAdapter):
    """As the SDK's, with pools that are a `UnixPool`."""

    def get_connection(self, url: str | bytes, proxies: object = None) -> UnixPool:  # noqa: ARG002
        """The pool of an address: of what is asked seldom no connection is kept for others."""
        with self.pools.lock:
            pool: UnixPool | None = self.pools.get(url)
            if pool is None:
                pool = UnixPool("", self.socket_path, self.timeout, self.max_pool_size)
                self.pools[url] = pool
        return pool


class UnixPool(UnixHTTPConnectionPool):
    """As the SDK's, of `UnixConnection`."""

    def _new_conn(self) -> UnixConnection:  # type: ignore[override] # urllib3 asks for a protocol
        seconds = cast("int", self.timeout)  # the stubs want whole ones; sockets any
        return UnixConnection(self.base_url, self.socket_path, seconds)


class UnixConnection(UnixHTTPConnection):
    """As the SDK's, without a socket left over."""

    def connect(self) -> None:
        """Connect.

        Raises:
            OSError: as the kernel says it.
        """
        connecting = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            connecting.settimeout(self.timeout)
            connecting.connect(self.unix_socket)
        except BaseException:
            connecting.close()
            raise
        self.sock = connecting
