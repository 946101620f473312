"""Services as the text of a clusterf.toml, with comments that say where each came from. Pure.

Values are written by ``toml``; the text is read again and compared before anybody gets it.
"""

from __future__ import annotations

import ipaddress
import textwrap
import tomllib
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, TypeVar

import toml

from clusterf.model.service import Frontend, StickyClients
from clusterf.model.table import Method, Protocol, Tunnel, TunnelType
from clusterf_import.services import Imported, ImportedBackend, ImportedService

T = TypeVar("T")

_WIDTH = 96
_UNITS = ((86400, "d"), (3600, "h"), (60, "m"))

_HEAD = """\
# Imported by `clusterf import {kind}` from {origin}.
# What could not be carried over was told then; `clusterf check` and `clusterf plan` tell the rest.
"""
_VIPS = """\
# Bind the VIPs on this host while they can serve. Something else may do it already: VRRP, a script.
# [outputs.vips]
# type = "addresses"
"""


def text_of(imported: Imported, kind: str, origin: str) -> str:
    """The whole file.

    Raises:
        AssertionError: what was written does not say what was meant; a bug here or in toml.
    """
    text = "".join(f"{line}\n" for line in _file(imported, kind, origin))
    if tomllib.loads(text) != document(imported):
        raise AssertionError("the text of the services reads otherwise than they are")
    return text


def document(imported: Imported) -> dict[str, Any]:
    """The values of the file."""
    return {
        "clusterf": _managed(imported.services),
        "outputs": {"kernel": {"type": "ipvs"}},
        "services": {service.name: _service(service) for service in imported.services},
    }


# --- values --------------------------------------------------------------------------------------


def _managed(services: Iterable[ImportedService]) -> dict[str, Any]:
    """Just what the services need: the VIPs, in as few prefixes as they fill."""
    frontends = [frontend for service in services for frontend in service.frontends]
    vips4 = [ipaddress.IPv4Network(bytes(one.ipv4)) for one in frontends if one.ipv4 is not None]
    vips6 = [ipaddress.IPv6Network(bytes(one.ipv6)) for one in frontends if one.ipv6 is not None]
    networks = [
        *map(str, ipaddress.collapse_addresses(vips4)),
        *map(str, ipaddress.collapse_addresses(vips6)),
    ]
    prefixes = [network.removesuffix("/128" if ":" in network else "/32") for network in networks]
    marks = sorted({one.fwmark for one in frontends if one.fwmark is not None})
    return {"managed": prefixes} | ({"managed_fwmarks": marks} if marks else {})


def _service(service: ImportedService) -> dict[str, Any]:
    frontends = [_frontend(one) for one in service.frontends]
    values: dict[str, Any] = (
        {"frontend": frontends[0]} if len(frontends) == 1 else {"frontends": frontends}
    )
    values["scheduler"] = service.scheduler
    if service.flags:
        values["flags"] = sorted(service.flags)
    if service.persistence is not None:
        values["persistence"] = _persistence(service.persistence)
    usual = _usual(service)
    values |= usual
    values["backends"] = [_backend(one, usual) for one in service.backends]
    return values


def _frontend(frontend: Frontend) -> dict[str, Any]:
    if frontend.fwmark is not None:
        return {"fwmark": frontend.fwmark, "family": str(frontend.family)}
    values: dict[str, Any] = {}
    if frontend.ipv4 is not None:
        values["ipv4"] = str(frontend.ipv4)
    if frontend.ipv6 is not None:
        values["ipv6"] = str(frontend.ipv6)
    for protocol in Protocol:
        port = frontend.ports.of(protocol)
        if port is not None:
            values[str(protocol)] = port
    return values


def _persistence(sticky: StickyClients) -> Any:
    timeout = _duration(sticky.timeout)
    if (sticky.prefix4, sticky.prefix6) == (32, 128):
        return timeout
    values: dict[str, Any] = {"timeout": timeout}
    if sticky.prefix4 != 32:
        values["netmask"] = sticky.prefix4
    if sticky.prefix6 != 128:
        values["netmask6"] = sticky.prefix6
    return values


def _duration(seconds: int) -> str:
    for size, unit in _UNITS:
        if seconds % size == 0:
            return f"{seconds // size}{unit}"
    return f"{seconds}s"


def _usual(service: ImportedService) -> dict[str, Any]:
    """What most backends have, said once for the service; nothing where there are none."""
    backends = service.backends
    if not backends:
        return {}
    method = _most(one.method for one in backends)
    usual: dict[str, Any] = {"method": str(method)}
    if method is Method.TUNNEL:
        tunnel = _most(one.tunnel for one in backends if one.method is Method.TUNNEL)
        if tunnel != Tunnel():
            usual["tunnel"] = _tunnel(tunnel)
    usual["weight"] = _most(one.weight for one in backends)
    return usual


def _most(values: Iterable[T]) -> T:
    """The most frequent one, of several the first."""
    return Counter(values).most_common(1)[0][0]


def _tunnel(tunnel: Tunnel) -> dict[str, Any]:
    values: dict[str, Any] = {"type": str(tunnel.type)}
    if tunnel.type is TunnelType.GUE:
        values["port"] = tunnel.port
    if tunnel.flags != "nocsum":
        values["flags"] = tunnel.flags
    return values


def _backend(backend: ImportedBackend, usual: Mapping[str, Any]) -> Any:
    own: dict[str, Any] = {}
    if backend.weight != usual["weight"]:
        own["weight"] = backend.weight
    if str(backend.method) != usual["method"]:
        own["method"] = str(backend.method)
    if backend.method is Method.TUNNEL:
        tunnel = _tunnel(backend.tunnel)
        if tunnel != usual.get("tunnel", _tunnel(Tunnel())):
            own["tunnel"] = tunnel
    if backend.upper_threshold:
        own["upper_threshold"] = backend.upper_threshold
    if backend.lower_threshold:
        own["lower_threshold"] = backend.lower_threshold
    if own or not backend.port:
        return {"address": str(backend.address), "port": backend.port} | own
    return str(backend)


# --- text ----------------------------------------------------------------------------------------


def _file(imported: Imported, kind: str, origin: str) -> Iterator[str]:
    yield from _HEAD.format(kind=kind, origin=_printable(origin)).splitlines()
    yield ""
    yield "[clusterf]"
    yield "# What clusterf owns: the VIPs of these services and no others. It touches nothing else."
    yield from _pairs(_managed(imported.services))
    yield ""
    yield "[outputs.kernel]"
    yield 'type = "ipvs"'
    yield ""
    yield from (f"# {_printable(remark)}" for remark in imported.remarks)
    if imported.remarks:
        yield ""
    yield from _VIPS.splitlines()
    for service in imported.services:
        yield ""
        yield ""
        yield from _service_lines(service)


def _service_lines(service: ImportedService) -> Iterator[str]:
    yield f"# {_printable(service.title)}"
    yield f"[services.{service.name}]"
    yield from _comments(service.remarks, "")
    values = _service(service)
    backends = values.pop("backends")
    yield from _pairs(values)
    if not backends:
        yield "backends = []"
        return
    yield "backends = ["
    for backend, value in zip(service.backends, backends, strict=True):
        yield from _comments(backend.remarks, "    ")
        origin = f"  # {_printable(backend.origin)}" if backend.origin else ""
        yield f"    {_value(value)},{origin}"
    yield "]"


def _comments(remarks: Iterable[str], indent: str) -> Iterator[str]:
    """What people have to set up anew, where they will look for it."""
    for remark in remarks:
        yield from textwrap.wrap(
            _printable(remark),
            _WIDTH,
            initial_indent=f"{indent}# not carried over: ",
            subsequent_indent=f"{indent}#   ",
            break_long_words=False,
            break_on_hyphens=False,
        )


def _pairs(values: Mapping[str, Any]) -> Iterator[str]:
    for key, value in values.items():
        line = f"{key} = {_value(value)}"
        if isinstance(value, list) and len(line) > _WIDTH:
            yield f"{key} = ["
            yield from (f"    {_value(one)}," for one in value)
            yield "]"
        else:
            yield line


_encoder = toml.TomlEncoder()


def _value(value: Any) -> str:
    """One value, in one line."""
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{key} = {_value(one)}" for key, one in value.items()) + " }"
    if isinstance(value, list):
        return "[" + ", ".join(map(_value, value)) + "]"
    return str(_encoder.dump_value(value))


def _printable(text: str) -> str:
    """A comment can hold no control characters."""
    return "".join(
        "�" if unicodedata.category(char).startswith(("C", "Zl", "Zp")) else char for char in text
    )
