"""Who we are to etcd: the token of a user, fetched when it is needed and when it was refused."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import NamedTuple

import trio

from clusterf.plugin import Context
from clusterf_etcd import failure
from clusterf_etcd.failure import AuthenticationOff, EtcdRefused, EtcdUnavailable
from clusterf_etcd.settings import ConnectionSettings
from clusterf_etcd.wire import Message

Login = Callable[[Message], Awaitable[str]]
"""Asks some endpoint's ``/v3/auth/authenticate`` for a token."""

_PASSWORD_MAX = 4096


class _Failed(NamedTuple):
    """The last log-in that nobody answered."""

    endpoint: str
    error: EtcdUnavailable


class Token:
    """The token of the user in the settings; all calls share it.

    ``value`` is empty without a user, before the first log-in, and where etcd asks nobody.
    """

    def __init__(self, settings: ConnectionSettings, context: Context) -> None:
        self._user = settings.user
        self._path = context.path(settings.password_file or Path())
        self._context = context
        self._lock = trio.Lock()
        self._wanted = settings.user is not None
        self._failed = _Failed("", EtcdUnavailable("not tried"))
        self.value = ""

    @property
    def headers(self) -> dict[str, str]:
        """For a request. Not "Bearer": etcd takes the token as it is."""
        return {"authorization": self.value} if self.value else {}

    async def fetch(self, endpoint: str, login: Login) -> None:
        """Log in at an endpoint, if there is a user and nobody has.

        Raises:
            EtcdError: it did not work.
        """
        if not self._wanting():
            return
        failed = self._failed
        async with self._lock:
            # Somebody else may have while we waited.
            if not self._wanting():
                return
            if self._failed is not failed and self._failed.endpoint == endpoint:
                # Or has tried: all who wait for a member that hangs wait for it once.
                raise self._failed.error
            try:
                await self._fetch(login)
            except EtcdUnavailable as error:
                # Whatever the token was for has not even been begun.
                error.perhaps_done = False
                self._failed = _Failed(endpoint, error)
                raise

    def refused(self, used: str, error: EtcdRefused) -> None:
        """The token that was ``used`` was refused with ``error``: fetch another one.

        Raises:
            EtcdRefused: there is no user who could.
        """
        if self._user is None:
            raise error
        if used == self.value:
            self._wanted = True

    def _wanting(self) -> bool:
        return self._wanted

    async def _fetch(self, login: Login) -> None:
        password = await self._context.run_blocking(self._password)
        try:
            self.value = await login({"name": self._user, "password": password})
        except AuthenticationOff:
            # As etcd's own clients do: it may be turned on while we run.
            self._context.log.warning("authentication off user=%s", self._user)
            self.value = ""
        self._wanted = False

    def _password(self) -> str:
        """Read the password. Blocks."""
        path = self._path
        try:
            with path.open(encoding="utf-8", newline="") as file:
                password = file.read(_PASSWORD_MAX + 1)
        except UnicodeDecodeError:
            # Its text would tell a byte of what may be the password.
            raise failure.unreadable("password_file", path, ValueError("not UTF-8")) from None
        except OSError as error:
            raise failure.unreadable("password_file", path, error) from error
        password = password.removesuffix("\n").removesuffix("\r")
        if not password or len(password) > _PASSWORD_MAX:
            why = ValueError("no password in it" if not password else "too large for a password")
            raise failure.unreadable("password_file", path, why)
        return password
