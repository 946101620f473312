"""Which etcd a command speaks to: an instance of the configuration, or what the options say."""

from __future__ import annotations

import argparse
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import trio
from pydantic import ValidationError

from clusterf.plugin import ClusterfError, Configured, Invocation, faults_of
from clusterf_etcd.commands.ending import Misused, NotConfigured, ended_by
from clusterf_etcd.failure import EtcdError, PermissionDenied
from clusterf_etcd.gateway import Gateway
from clusterf_etcd.settings import ConnectionSettings
from clusterf_etcd.wire import KeyValue, Listing

_OPTIONS = {
    "endpoints": "--endpoint",
    "prefix": "--prefix",
    "user": "--user",
    "password_file": "--password-file",
    "tls": "--ca, --cert, --key",
    "timeout": "--timeout",
}
_HINT = "or say which etcd: --endpoint URL"


@dataclass(frozen=True, slots=True)
class Etcd:
    """An etcd, and the part of it that is clusterf's. ``name`` is that of the instance."""

    name: str
    settings: ConnectionSettings
    gateway: Gateway

    @property
    def prefix(self) -> str:
        """Keys below it and a slash are clusterf's."""
        return self.settings.prefix

    async def look(self, key: str) -> Listing:
        """A key, if it exists, and all keys below it.

        Raises:
            EtcdError: as the gateway.
        """
        below = await self.gateway.list(key)
        own = None if key == self.prefix else await self.gateway.get(key)
        return below if own is None else below._replace(entries=[own, *below.entries])

    async def lives(self, entries: Sequence[KeyValue]) -> dict[int, int]:
        """Seconds that the leases of these keys still live; one that is gone has a number below 0.

        Raises:
            EtcdError: as the gateway.
        """
        leases = {entry.lease for entry in entries if entry.lease}
        return {lease: await self.gateway.time_to_live(lease) for lease in leases}

    async def beside(self, key: str) -> list[str]:
        """All keys of the folder that a key is in, for a hint; none where they cannot be had."""
        try:
            listing = await self.gateway.list(key.rpartition("/")[0])
        except PermissionDenied:
            # This user may see the key that was asked for, and no others.
            return []
        return [entry.key for entry in listing.entries]

    def __str__(self) -> str:
        return f"{','.join(self.settings.endpoints)} {self.prefix}"


def add_options(parser: argparse.ArgumentParser, more: str = "") -> None:
    """Add the options that say which etcd; ``more`` is said of ``--prefix``."""
    group = parser.add_argument_group(
        "which etcd",
        "Without these the one that the configuration names. With --endpoint no configuration is "
        "read; without it, the others count in place of its settings.",
    )
    group.add_argument("--instance", metavar="NAME", help="the source or output that names it")
    group.add_argument(
        "--endpoint",
        action="append",
        metavar="URL",
        help="http:// or https://HOST[:PORT]; again for each further member",
    )
    group.add_argument(
        "--prefix", action="append", metavar="PATH", help=f"keys below it are clusterf's{more}"
    )
    group.add_argument("--user", metavar="NAME", help="user of etcd, where it asks for one")
    group.add_argument("--password-file", type=Path, metavar="FILE", help="where the password is")
    group.add_argument("--ca", type=Path, metavar="FILE", help="authority of its certificates")
    group.add_argument("--cert", type=Path, metavar="FILE", help="certificate to show")
    group.add_argument("--key", type=Path, metavar="FILE", help="key of that certificate")
    group.add_argument("--timeout", metavar="TIME", help="for one answer; default: 5s")


@asynccontextmanager
async def connected(invocation: Invocation) -> AsyncIterator[Etcd]:
    """The etcd of a command. What goes wrong with it within ends the command.

    Raises:
        ClusterfError: nobody says which etcd, or something went wrong with it.
    """
    name, settings = chosen(invocation)
    gateway = Gateway(settings, invocation.context(name))
    try:
        yield Etcd(name, settings, gateway)
    except EtcdError as failure:
        raise ended_by(failure) from failure
    finally:
        with trio.CancelScope(shield=True):
            await gateway.close()


def chosen(invocation: Invocation) -> tuple[str, ConnectionSettings]:
    """Name of the instance, and the settings of its connection.

    Raises:
        ClusterfError: there is none, there are several, or they are wrong.
    """
    arguments = invocation.arguments
    given = given_settings(arguments)
    if arguments.endpoint:
        if arguments.instance:
            raise Misused("--instance and --endpoint exclude one another")
        return "etcd", connection({}, given)
    try:
        configured = invocation.configuration()
    except ClusterfError as error:
        raise NotConfigured(str(error), hint=_HINT) from error
    name, settings = pick(configured, arguments.instance)
    return name, connection(_connection_of(settings), given)


def pick(configured: Configured, name: str | None) -> tuple[str, ConnectionSettings]:
    """The instance of that name, and its settings; without a name the only one.

    Sources come before outputs, and instances with the same connection count as one.

    Raises:
        ClusterfError: there is none, or there are several.
    """
    found = {
        instance.name: instance.settings
        for instance in (*configured.sources.values(), *configured.outputs.values())
        if isinstance(instance.settings, ConnectionSettings)
    }
    known = ", ".join(found)
    if not found:
        raise NotConfigured(f"{configured.path}: there is no instance of type etcd", hint=_HINT)
    if name is not None:
        found = {
            full: settings
            for full, settings in found.items()
            if name in {full, full.partition(".")[2]}
        }
        if not found:
            message = f"no instance of type etcd is called {name}"
            raise Misused(message, hint=f"there are: {known}")
    first, *others = found
    if any(_connection_of(found[other]) != _connection_of(found[first]) for other in others):
        raise Misused(f"several etcds are configured: {known}", hint="say which: --instance NAME")
    return first, found[first]


def given_settings(arguments: argparse.Namespace) -> dict[str, Any]:
    """The options as settings; paths are those of the shell, not of the configuration."""
    paths = {name: getattr(arguments, name) for name in ("ca", "cert", "key")}
    tls = {name: path.absolute() for name, path in paths.items() if path is not None}
    given: dict[str, Any] = {
        "endpoints": arguments.endpoint,
        "prefix": tree_prefix(arguments.prefix or ()),
        "tls": tls or None,
        "timeout": arguments.timeout,
    }
    given = {name: value for name, value in given.items() if value is not None}
    if arguments.user is not None or arguments.password_file is not None:
        # A user of the configuration has no business with another one's password.
        path = arguments.password_file
        given |= {"user": arguments.user, "password_file": path.absolute() if path else None}
    return given


def tree_prefix(prefixes: Sequence[str]) -> str | None:
    """The one ``--prefix`` that may be given for the keys."""
    if len(prefixes) > 1:
        raise Misused(f"--prefix is given twice: {prefixes[0]} and {prefixes[1]}")
    return prefixes[0] if prefixes else None


def connection(
    base: Mapping[str, Any], given: Mapping[str, Any], options: Mapping[str, str] = _OPTIONS
) -> ConnectionSettings:
    """Settings with what is given in their place; ``options`` are its names, by those of settings.

    Raises:
        Misused: they do not fit.
    """
    data = {**base, **given}
    try:
        return ConnectionSettings.model_validate(data)
    except ValidationError as error:
        told = []
        for fault in faults_of(error, ConnectionSettings, data):
            name = str(fault.at[0]) if fault.at else ""
            told.append(f"{options[name]}: {fault.message}" if name in options else fault.message)
        raise Misused("; ".join(told)) from None


def _connection_of(settings: ConnectionSettings) -> dict[str, Any]:
    return {name: getattr(settings, name) for name in ConnectionSettings.model_fields}
