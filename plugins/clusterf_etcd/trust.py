"""Whom to believe and what to show: certificates, read again when their files change."""

from __future__ import annotations

import os
import ssl
from pathlib import Path
from typing import NamedTuple

from clusterf.plugin import Context
from clusterf_etcd import failure
from clusterf_etcd.settings import ConnectionSettings


class _Stamp(NamedTuple):
    """What tells one state of a file from another."""

    path: Path
    inode: int
    size: int
    changed: int


class Trust:
    """Makes an SSL context of the files in the settings. Blocks.

    ``anonymous``: no certificate is shown.
    """

    def __init__(self, settings: ConnectionSettings, context: Context) -> None:
        tls = settings.tls
        names = {"ca": tls.ca, "cert": tls.cert, "key": tls.key} if tls else {}
        self._paths = {name: context.path(path) for name, path in names.items() if path}
        self.anonymous = "cert" not in self._paths
        self._plain = settings.endpoints[0].startswith("http://")
        self._made: ssl.SSLContext | None = None
        self._stamps: list[_Stamp] = []

    def current(self) -> ssl.SSLContext:
        """The context for the files as they are; the same one while they are the same.

        Raises:
            EtcdRefused: one of the files cannot be used.
        """
        stamps = [_stamp(name, path) for name, path in self._paths.items()]
        if self._made is None or stamps != self._stamps:
            self._made, self._stamps = self._make(), stamps
        return self._made

    def _make(self) -> ssl.SSLContext:
        if self._plain:
            # Trusts nobody, and loads nothing: httpx2 wants one.
            return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        ca, cert, key = (self._paths.get(name) for name in ("ca", "cert", "key"))
        try:
            made = ssl.create_default_context(cafile=ca)
        except (OSError, ValueError) as error:
            raise failure.unreadable("tls.ca", ca, error) from error
        if cert is not None:
            try:
                made.load_cert_chain(cert, key, _no_passphrase)
            except (OSError, ValueError) as error:
                raise failure.unreadable("tls.cert", f"{cert} with key {key}", error) from error
        return made


def _stamp(name: str, path: Path) -> _Stamp:
    try:
        found = os.stat(path)  # noqa: PTH116 - as the result is what counts
    except OSError as error:
        raise failure.unreadable(f"tls.{name}", path, error) from error
    return _Stamp(path, found.st_ino, found.st_size, found.st_mtime_ns)


def _no_passphrase() -> str:
    """What OpenSSL asks instead of asking whoever sits at the terminal."""
    raise ValueError("the key has a passphrase")
