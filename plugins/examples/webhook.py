"""Output ``webhook``: a change log. What changes in the table is posted to an address, as JSON.

It is an output like any other, with a task of its own: a receiver that is slow or away holds back
nobody, and hears of everything that is different when it is back.
"""

from __future__ import annotations

import json
import os
import socket
import ssl
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from operator import itemgetter
from typing import TYPE_CHECKING, Annotated, Any, ClassVar
from urllib.parse import SplitResult, urlsplit

import trio
from pydantic import Field, field_validator

from clusterf.model.operation import Operation, Outcome, Plan, Stage, successes
from clusterf.model.table import Destination, DestinationKey, ServiceKey, VirtualService
from clusterf.plugin import (
    Context,
    Desired,
    Duration,
    OutputReport,
    OutputType,
    OutputUnavailable,
    PathName,
    ProbeResult,
    Settings,
    Severity,
    hookimpl,
    value_error,
)

if TYPE_CHECKING:
    # It takes longer to import than most commands take, and most of them post nothing.
    import httpx2

CLUSTERF_API = "1.0"
__version__ = "1.0"


class WebhookSettings(Settings):
    """Where to post, and how patiently."""

    url: str = Field(description="http:// or https:// address that takes POST")
    token_file: PathName | None = Field(
        None, description="file with a token that is sent as Authorization: Bearer"
    )
    ca: PathName | None = Field(
        None, description="authority of the receiver's certificate; without it the system's"
    )
    timeout: Annotated[Duration, Field(ge=0.05, le=600)] = Field(
        5.0, description="how long the receiver may take to accept a connection, and to answer"
    )
    batch: Annotated[int, Field(ge=1)] = Field(500, description="changes in one post, at most")
    at_start: bool = Field(
        default=False, description="post the whole table at start, not only what changes later"
    )

    @field_validator("url")
    @classmethod
    def _url(cls, value: str) -> str:
        try:
            _parts(value)
        except ValueError:
            raise value_error(
                "is not the address of a receiver", hint="such as https://log.example.org/changes"
            ) from None
        return value


def _parts(url: str) -> SplitResult:
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.port == 0:
        raise ValueError(url)
    return parts


# --- deciding: what differs -----------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Tell:
    """Implements `Operation`: one entry of the table that is not as the receiver knows it."""

    stage: ClassVar[Stage] = Stage.EDIT
    subject: ServiceKey
    before: VirtualService | None
    after: VirtualService | None

    @property
    def change(self) -> str:
        """``added``, ``removed`` or ``changed``."""
        if self.before is None:
            return "added"
        return "removed" if self.after is None else "changed"

    def describe(self) -> str:
        """One line, which is the line of the log, too."""
        words = list(_differences(self.before, self.after)) if self.change == "changed" else []
        return f"{self.subject} {self.change}" + (f": {', '.join(words)}" if words else "")

    def reason(self) -> str:
        """Where it comes from."""
        entry = self.after or self.before
        return "" if entry is None else str(entry.because or "")

    def as_json(self) -> dict[str, Any]:
        """For the receiver: both states, null where there is none, and the line."""
        return {
            "change": self.change,
            "entry": str(self.subject),
            "line": self.describe(),
            "before": _entry(self.before),
            "after": _entry(self.after),
        }


def _differences(before: VirtualService | None, after: VirtualService | None) -> Iterator[str]:
    old = before.destinations if before is not None else {}
    new = after.destinations if after is not None else {}
    if before is not None and after is not None and before.settings != after.settings:
        yield f"scheduler {before.scheduler} -> {after.scheduler}, or its settings"
    for key in sorted({*old, *new}):
        was, is_ = old.get(key), new.get(key)
        if was is None:
            yield f"{key} added"
        elif is_ is None:
            yield f"{key} removed"
        elif was.weight != is_.weight:
            yield f"{key} weight {was.weight} -> {is_.weight}"
        elif was != is_:
            yield f"{key} changed"


def _entry(entry: VirtualService | None) -> Mapping[str, Any] | None:
    if entry is None:
        return None
    return {
        "scheduler": entry.scheduler,
        "flags": sorted(entry.flags),
        "persistence": entry.persistence.timeout if entry.persistence else None,
        "destinations": [
            _destination(*one) for one in sorted(entry.destinations.items(), key=itemgetter(0))
        ],
    }


def _destination(key: DestinationKey, destination: Destination) -> Mapping[str, Any]:
    return {
        "address": str(key.address),
        "port": key.port,
        "weight": destination.weight,
        "method": destination.method.value,
    }


# --- doing ----------------------------------------------------------------------------------------


class Webhook:
    """Implements `Output`, `Closing` and `Probe`.

    ``_told`` is the table as the receiver knows it; None as long as nobody knows what it is.
    """

    def __init__(self, settings: WebhookSettings, context: Context) -> None:
        self._settings = settings
        self._context = context
        parts = _parts(settings.url)
        self._host = parts.hostname or ""
        self._port = parts.port or {"http": 80, "https": 443}[parts.scheme]
        # Not the whole address: what is behind the host is often a secret.
        self._shown = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"
        self._told: dict[ServiceKey, VirtualService] | None = None
        self._client: httpx2.AsyncClient | None = None
        self._posts = 0

    async def observe(self, subjects: Collection[ServiceKey] | None) -> None:
        """Nothing to look at: what the receiver knows is what it was told."""

    def plan(self, desired: Desired, subjects: Collection[ServiceKey] | None, now: float) -> Plan:  # noqa: ARG002 - nothing here is a matter of time
        """Tell what is different. What was there at the start is no change, unless asked for."""
        table = desired.table
        if self._told is None:
            if desired.hold is not None:
                return Plan()  # the table is not complete yet
            self._told = {} if self._settings.at_start else dict(table)
        told = self._told
        return Plan(
            [
                Tell(key, told.get(key), table.get(key))
                for key in ({**told, **table} if subjects is None else subjects)
                if told.get(key) != table.get(key)
            ]
        )

    async def carry_out(self, operations: Sequence[Operation]) -> Sequence[Outcome]:
        """Post, a batch at a time.

        Raises:
            OutputUnavailable: the receiver did not take one. The engine tries again, with back-off,
                and then with what has become of the table meanwhile.
        """
        changes = [one for one in operations if isinstance(one, Tell)]
        size = self._settings.batch
        for start in range(0, len(changes), size):
            batch = changes[start : start + size]
            await self._post(batch)
            for one in batch:
                self._note(one)
        return list(successes(operations))

    def report(self) -> OutputReport:
        """Say how much was posted."""
        return OutputReport(f"{self._posts} posts to {self._shown}")

    async def close(self) -> None:
        """Let go of the connection."""
        client, self._client = self._client, None
        if client is not None:
            await client.aclose()

    async def probe(self) -> Iterable[ProbeResult]:
        """Connect, and post nothing."""
        with trio.move_on_after(self._settings.timeout):
            try:
                stream = await trio.open_tcp_stream(self._host, self._port)
            except OSError as error:
                return [_finding(f"{self._shown}: {_reason(error)}")]
            await stream.aclose()
            return []
        return [_finding(f"{self._shown}: no answer within {self._settings.timeout:g} s")]

    def _note(self, change: Tell) -> None:
        """The receiver knows of it now."""
        if self._told is None:
            self._told = {}
        if change.after is None:
            self._told.pop(change.subject, None)
        else:
            self._told[change.subject] = change.after

    async def _post(self, changes: Sequence[Tell]) -> None:
        body = {
            "host": os.uname().nodename,
            "output": self._context.name,
            "time": datetime.now(UTC).isoformat(timespec="milliseconds"),
            "text": "\n".join(one.describe() for one in changes),
            "changes": [one.as_json() for one in changes],
        }
        try:
            if self._client is None:
                self._client = await self._context.run_blocking(self._connect)
            headers = await self._context.run_blocking(self._headers)
        except (OSError, ValueError) as error:
            raise OutputUnavailable(str(error), hint="see token_file and ca") from error
        await self._send(self._client, json.dumps(body).encode(), headers)
        self._posts += 1

    async def _send(
        self, client: httpx2.AsyncClient, body: bytes, headers: Mapping[str, str]
    ) -> None:
        import httpx2  # noqa: PLC0415 - imported by _connect already

        try:
            async with client.stream(
                "POST", self._settings.url, content=body, headers=headers
            ) as answer:
                status = answer.status_code
        except httpx2.TimeoutException as error:
            message = f"{self._shown}: no answer within {self._settings.timeout:g} s"
            raise OutputUnavailable(message) from error
        except (httpx2.HTTPError, OSError) as error:
            hint = "does somebody listen there? url names the receiver"
            raise OutputUnavailable(f"{self._shown}: {_reason(error)}", hint=hint) from error
        if not 200 <= status < 300:
            hint = "" if status >= 500 else "see url and token_file"
            raise OutputUnavailable(f"{self._shown}: answers {status}", hint=hint)

    def _connect(self) -> httpx2.AsyncClient:
        """Import the library and read certificates. Blocks, so it has a thread."""
        import httpx2  # noqa: PLC0415 - see TYPE_CHECKING

        ca = self._settings.ca
        trust = ssl.create_default_context(cafile=ca and self._context.path(ca))
        return httpx2.AsyncClient(
            verify=trust, timeout=self._settings.timeout, trust_env=False, follow_redirects=False
        )

    def _headers(self) -> dict[str, str]:
        """Blocks: the token is read each time, so that it may be exchanged."""
        headers = {"content-type": "application/json", "user-agent": "clusterf"}
        if self._settings.token_file is not None:
            token = self._context.path(self._settings.token_file).read_text("ascii").strip()
            headers["authorization"] = f"Bearer {token}"
        return headers


def _finding(message: str) -> ProbeResult:
    return ProbeResult(Severity.WARNING, message, "changes are posted when it is there")


def _reason(error: BaseException) -> str:
    """The system's own word for it, which libraries wrap."""
    inner: BaseException | None = error
    while inner is not None:
        if isinstance(inner, (ssl.SSLError, socket.gaierror)):
            return str(inner.strerror)
        if isinstance(inner, OSError) and inner.errno:
            return os.strerror(inner.errno).lower()  # Trio has its own words for its message
        group = inner.exceptions[0] if isinstance(inner, BaseExceptionGroup) else None
        inner = group or inner.__cause__ or inner.__context__
    return str(error) or "the connection broke"


@hookimpl
def clusterf_register_outputs() -> Iterable[OutputType[Any]]:
    """Register the type ``webhook``."""
    return [
        OutputType(
            name="webhook",
            settings=WebhookSettings,
            create=Webhook,
            summary="what changes in the table, posted as JSON over HTTP",
        )
    ]
