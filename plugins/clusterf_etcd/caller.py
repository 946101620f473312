"""One question to etcd: at which endpoint, as whom, and again where that helps."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, TypeVar

import trio

from clusterf.plugin import Context
from clusterf_etcd import answers, failure, wire
from clusterf_etcd.auth import Token
from clusterf_etcd.endpoints import Endpoints, none_left
from clusterf_etcd.failure import EtcdRefused, EtcdUnavailable, Unauthenticated
from clusterf_etcd.settings import ConnectionSettings
from clusterf_etcd.wire import Message

if TYPE_CHECKING:
    # Importing it imports httpx2.
    from clusterf_etcd.transport import Transport

T = TypeVar("T")
Read = Callable[[Message], T]
"""Reads an answer; raises `answers.Nonsense`."""


class Caller:
    """Asks etcd."""

    def __init__(self, settings: ConnectionSettings, context: Context) -> None:
        self.endpoints = Endpoints(settings.endpoints)
        self.timeout = settings.timeout
        self.token = Token(settings, context)
        self._settings = settings
        self._context = context
        self._transport: Transport | None = None
        self._opening = trio.Lock()

    async def call(self, path: str, message: Message, read: Read[T], *, twice: bool = True) -> T:
        """Ask at one endpoint after the other until one answers. Errors are those of `anywhere`."""
        return await self.anywhere(
            lambda endpoint: self.ask(endpoint, path, message, read), twice=twice
        )

    async def anywhere(self, attempt: Callable[[str], Awaitable[T]], *, twice: bool = True) -> T:
        """Do something at one endpoint after the other until it works, at each at most once.

        ``twice`` is False for what must not be done twice: then a failure that leaves open
        whether it was done ends the call.

        Raises:
            EtcdError: the first final answer, or what is wrong with every endpoint.
        """
        errors: list[EtcdUnavailable | EtcdRefused] = []
        for endpoint in self.endpoints.order():
            try:
                result = await attempt(endpoint)
            except EtcdUnavailable as error:
                errors.append(error)
                self.endpoints.failed(endpoint)
                if error.perhaps_done and not twice:
                    break
            except EtcdRefused as error:
                if not error.local:
                    raise
                errors.append(error)
                self.endpoints.failed(endpoint)
            except trio.Cancelled:
                # Whoever waits has less patience than we have: next time somewhere else.
                self.endpoints.failed(endpoint)
                raise
            else:
                self.endpoints.worked(endpoint)
                if errors:
                    self._context.log.warning(
                        "endpoint changed to=%s reason=%r", endpoint, str(errors[-1])
                    )
                return result
        raise none_left(errors)

    async def ask(self, endpoint: str, path: str, message: Message, read: Read[T]) -> T:
        """Ask at one endpoint.

        Raises:
            EtcdError: it did not answer, or answered with an error.
        """
        body = wire.body(message)
        return await self.as_user(
            endpoint, lambda headers: self._answer(endpoint, path, body, headers, read)
        )

    async def as_user(
        self,
        endpoint: str,
        attempt: Callable[[dict[str, str]], Awaitable[T]],
        *,
        doubted: tuple[type[EtcdRefused], ...] = (Unauthenticated,),
    ) -> T:
        """Do something at an endpoint with the headers of the user in the settings.

        Once more, with a new token, when it is refused with one of ``doubted``.
        """
        used = await self._log_in(endpoint)
        try:
            return await attempt(self.token.headers)
        except doubted as error:
            self.token.refused(used, error)
        await self._log_in(endpoint)
        return await attempt(self.token.headers)

    async def transport(self) -> Transport:
        """Connections, made with the first use."""
        async with self._opening:
            if self._transport is None:
                self._transport = await self._context.run_blocking(self._connect)
        return self._transport

    async def close(self) -> None:
        """End all connections that are not in use."""
        if self._transport is not None:
            await self._transport.close()

    def _connect(self) -> Transport:
        """Import the library. Blocks."""
        from clusterf_etcd.transport import Transport  # noqa: PLC0415 - see TYPE_CHECKING

        return Transport(self._settings, self._context)

    async def _log_in(self, endpoint: str) -> str:
        """Have a token, if there is a user; return it."""

        async def login(message: Message) -> str:
            body = wire.body(message)
            return await self._answer(
                endpoint, "/v3/auth/authenticate", body, {}, answers.read_token
            )

        await self.token.fetch(endpoint, login)
        return self.token.value

    async def _answer(
        self, endpoint: str, path: str, body: bytes, headers: dict[str, str], read: Read[T]
    ) -> T:
        transport = self._transport or await self.transport()
        status, answer = await transport.post(endpoint, path, body, headers)
        if status != 200:
            raise failure.refused_by(endpoint, status, answer)
        try:
            message = answers.parse(answer)
            if error := failure.error_in(endpoint, message):
                raise error
            return read(message)
        except answers.Nonsense as error:
            raise failure.nonsense(endpoint, str(error)) from error
