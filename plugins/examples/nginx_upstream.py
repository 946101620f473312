"""Output ``nginx-upstream``: what the sources know, as ``upstream`` blocks in a file of nginx.

The file is replaced as a whole (nginx never reads half of it) and only when it changes, so whatever
watches it may reload nginx each time: see README.md.
"""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Annotated, Any, ClassVar

from pydantic import Field

from clusterf.model.address import endpoint
from clusterf.model.counting import counted
from clusterf.model.operation import Operation, Outcome, Plan, Stage, successes
from clusterf.model.service import Backend, Ref, Service, ServiceRef
from clusterf.plugin import (
    Among,
    Context,
    Desired,
    OutputReport,
    OutputType,
    OutputUnavailable,
    PathName,
    Settings,
    SourcePatterns,
    Statements,
    WeightNumber,
    hookimpl,
    shown,
)

CLUSTERF_API = "1.0"
__version__ = "1.0"

_MARK = "# Written by clusterf"
_HEAD = f"{_MARK}: what is changed here is lost. nginx is to be reloaded after each change.\n"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_BLOCK = re.compile(r"^upstream (?P<name>\S+) \{\n.*?^\}\n", re.MULTILINE | re.DOTALL)
_NOBODY = "    server 127.0.0.1:9 down;\n"
"""nginx takes no upstream without a server. Clients are answered 502."""


class NginxSettings(Settings):
    """Which file, and what of the cluster is in it."""

    path: PathName = Field(description="the file to write: /etc/nginx/conf.d/clusterf.conf")
    sources: SourcePatterns | None = Field(
        None, description="patterns of the sources whose backends count; without it all"
    )
    services: list[Annotated[str, Field(min_length=1)]] | None = Field(
        None, description="patterns of the services that become upstreams; without it all"
    )
    weight: WeightNumber = Field(10, description="weight of backends for which nobody names one")


# --- deciding: services become text ---------------------------------------------------------------


def upstream(service: Service, weight: int) -> str:
    """One block. Names of services come from outside: see `usable`."""
    servers = "".join(
        _server(backend, service, weight)
        for _, backend in sorted(service.backends.items())
        if backend.ports.tcp
    )
    return f"upstream {service.name} {{\n{servers or _NOBODY}}}\n"


def usable(name: str) -> bool:
    """Whether a service can be an upstream: anything else would be read as nginx's own words."""
    return _NAME.fullmatch(name) is not None


def _server(backend: Backend, service: Service, default: int) -> str:
    address, port = backend.ipv4 or backend.ipv6, backend.ports.tcp
    if address is None or port is None:
        return ""
    weight = next(
        (one for one in (backend.weight, service.spec.weight) if one is not None), default
    )
    down = " down" if backend.quiesced or not weight else f" weight={weight}"
    return f"    server {endpoint(address, port)}{down};\n"


@dataclass(frozen=True, slots=True)
class WriteFile:
    """Implements `Operation`: the whole file, and the upstreams in it that are new or different."""

    stage: ClassVar[Stage] = Stage.EDIT
    subject: ClassVar[None] = None
    path: Path
    text: str
    differing: Sequence[str]

    def describe(self) -> str:
        """One line."""
        names = ", ".join(self.differing[:5]) + (", ..." if len(self.differing) > 5 else "")
        return f"write {self.path} for nginx to reload, differing in upstream {names or 'order'}"

    def reason(self) -> str:
        """Nothing to add."""
        return ""


# --- doing ----------------------------------------------------------------------------------------


class NginxUpstream:
    """Implements `Output`. It publishes: its subjects are services."""

    def __init__(self, settings: NginxSettings, context: Context) -> None:
        self._settings = settings
        self._context = context
        self._path = context.path(settings.path)
        self._among = Among(settings.sources)
        self._blocks: dict[str, str] = {}
        self._unusable: set[str] = set()
        self._there = ""
        self._waits_for: Sequence[str] = ()

    async def observe(self, subjects: Collection[Ref] | None) -> None:  # noqa: ARG002 - it is one file
        """Read the file.

        Raises:
            OutputUnavailable: it cannot be read, or somebody else has written it.
        """
        try:
            self._there = await self._context.run_blocking(_read, self._path)
        except (OSError, UnicodeDecodeError) as error:
            raise _away(self._path, error) from error
        if self._there and not self._there.startswith(_MARK):
            raise OutputUnavailable(
                f"{self._path}: was not written by clusterf",
                hint="remove it, or name another path",
            )

    def plan(self, desired: Desired, subjects: Collection[Ref] | None, now: float) -> Plan:  # noqa: ARG002 - nothing here is a matter of time
        """Write the file if it differs from what the sources say.

        As long as one of them has not spoken, nobody knows what would be missing in it.
        """
        statements = desired.statements
        self._waits_for = statements.unspoken(self._among)
        if subjects is None:
            self._blocks.clear()
            self._unusable.clear()
            names: Iterable[str] = statements.services(self._among)
        else:
            names = {ref.name for ref in subjects if isinstance(ref, ServiceRef)}
        for name in names:
            self._draw(name, statements)
        text = _HEAD + "".join(f"\n{self._blocks[name]}" for name in sorted(self._blocks))
        if self._waits_for or text == self._there:
            return Plan()
        return Plan([WriteFile(self._path, text, _differing(self._there, self._blocks))])

    async def carry_out(self, operations: Sequence[Operation]) -> Sequence[Outcome]:
        """Replace the file.

        Raises:
            OutputUnavailable: it cannot be written; what was there is there.
        """
        for operation in operations:
            if isinstance(operation, WriteFile):
                try:
                    await self._context.run_blocking(_replace, operation.path, operation.text)
                except OSError as error:
                    raise _away(self._path, error) from error
                self._there = operation.text
        return list(successes(operations))

    def report(self) -> OutputReport:
        """Say what is in the file."""
        detail = f"{counted(len(self._blocks), 'upstream')} in {self._path}"
        if self._waits_for:
            detail = f"{self._path} stays as it is until {', '.join(self._waits_for)} has spoken"
        return OutputReport(
            detail,
            [f"service {shown(name)} cannot be an upstream" for name in sorted(self._unusable)],
        )

    def _draw(self, name: str, statements: Statements) -> None:
        """Bring one block up to date."""
        service = statements.service(name, self._among) if self._is_about(name) else None
        self._blocks.pop(name, None)
        self._unusable.discard(name)
        if service is None:
            return
        if usable(name):
            self._blocks[name] = upstream(service, self._settings.weight)
        else:
            self._unusable.add(name)

    def _is_about(self, name: str) -> bool:
        patterns = self._settings.services
        return patterns is None or any(fnmatchcase(name, pattern) for pattern in patterns)


def _differing(before: str, blocks: Mapping[str, str]) -> list[str]:
    """Names of the upstreams that come, go or change."""
    there = {one["name"]: one[0] for one in _BLOCK.finditer(before)}
    return sorted(name for name in {*there, *blocks} if there.get(name) != blocks.get(name))


def _read(path: Path) -> str:
    try:
        return path.read_text("utf-8")
    except FileNotFoundError:
        return ""


def _replace(path: Path, text: str) -> None:
    """Whoever reads the file sees the old one or the new one, also after a loss of power."""
    fresh = path.with_name(f".{path.name}.new")
    try:
        with fresh.open("w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        fresh.chmod(0o644)
        fresh.replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            fresh.unlink()
        raise


def _away(path: Path, error: Exception) -> OutputUnavailable:
    reason = error.strerror if isinstance(error, OSError) else None
    return OutputUnavailable(
        f"{path}: {(reason or str(error)).lower()}", hint="see path in the settings of the output"
    )


@hookimpl
def clusterf_register_outputs() -> Iterable[OutputType[Any]]:
    """Register the type ``nginx-upstream``."""
    return [
        OutputType(
            name="nginx-upstream",
            settings=NginxSettings,
            create=NginxUpstream,
            summary="upstream blocks of nginx in a file, with what the sources know",
            publishes=True,
        )
    ]
