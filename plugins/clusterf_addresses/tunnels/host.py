"""The receiving end of tunnels on this host: one look, and operations carried out. Blocking."""

from __future__ import annotations

import errno
import functools
import socket
from collections.abc import Collection
from pathlib import Path
from typing import Final

from clusterf.model.address import Family
from clusterf.model.operation import Operation
from clusterf.plugin import OutputUnavailable
from clusterf_addresses.attributes import DecodeError
from clusterf_addresses.netlink import RefusedError
from clusterf_addresses.rtnetlink import Session
from clusterf_addresses.tunnels import fou, links, modules, nft, operations
from clusterf_addresses.tunnels.operations import TunnelOperation
from clusterf_addresses.tunnels.receiving import (
    ADDRESS,
    KINDS,
    Device,
    Port,
    Receiving,
    SeenLink,
    alias,
    keepers,
    module,
    narrowest,
    recorded,
)
from clusterf_addresses.tunnels.ruleset import ANSWERING, ARRIVING, Rule, Ruleset
from clusterf_addresses.tunnels.world import Marks, TunnelWorld, tunnel_devices

_LOADED = Path("/sys/module/nf_tables")
"""There while nf_tables is loaded as a module, by whomever."""

_TRIAL: Final = Ruleset((Rule(ARRIVING, drop=True), Rule(ANSWERING, segment=1400)))
"""One rule of each kind that we make."""

AS_WANTED: Final[dict[type, tuple[int, ...]]] = {
    operations.RemoveTunnel: (errno.ENODEV,),
    operations.AddressTunnel: (errno.EEXIST,),
}
"""Refusals that say that the world is already as the operation wants it."""


def look(wanted: Receiving, addressed: Collection[str] = ()) -> TunnelWorld:
    """See what is there. What was never asked for is only looked at where something of it is.

    ``addressed``: names of interfaces that have an IPv4 address.

    Raises:
        OutputUnavailable: the kernel does not tell.
    """
    try:
        found = links.links() if wanted.devices or wanted.table or _any_of_ours() else []
        devices = tuple(
            link._replace(addressed=link.name in addressed) for link in tunnel_devices(found)
        )
        asked = wanted.ports or _records(devices)
        table, refused = _table(wanted)
        return TunnelWorld(
            links=devices,
            mtu=narrowest(found),
            ports=fou.ports() if asked else None,
            table=table,
            refused=refused,
        )
    except (RefusedError, DecodeError) as error:
        raise OutputUnavailable(f"netlink: {error}") from error


def _any_of_ours() -> bool:
    # Not if_nametoindex(): asked for a device that is not there the kernel runs modprobe for it
    # (dev_load in net/core/dev_ioctl.c).
    names = {name for _, name in socket.if_nameindex()}
    return any(Device(kind).name in names for kind in KINDS)


def _records(devices: tuple[SeenLink, ...]) -> bool:
    names = {name for family in Family for name in keepers(family)}
    return any(link.name in names and recorded(link.alias) for link in devices)


@functools.cache
def _built_in() -> bool:
    """Whether nf_tables is a part of this kernel, as far as that is known."""
    found = modules.read()
    return found.loadable is None or "nf_tables" in found.running


def _table(wanted: Receiving) -> tuple[Marks | None, int]:
    """The table and (or) why there can be none."""
    if not wanted.table and not _LOADED.exists() and not _built_in():
        # The question would load it, or have modprobe look for it, and nobody has a table there.
        return None, 0
    marks: Marks | None = None
    try:
        marks = nft.table()
        if wanted.table and marks is None:
            nft.fits(_TRIAL)
    except RefusedError as refused:
        return marks, refused.code
    return marks, 0


def carry_out(session: Session, operation: TunnelOperation) -> None:
    """Carry out one operation.

    Raises:
        RefusedError: from the kernel.
        OutputUnavailable: the kernel does not listen.
    """
    match operation:
        case operations.CreateTunnel(device):
            links.create(device)
        case operations.AddressTunnel(device):
            session.address(device.name, ADDRESS)
        case operations.RaiseTunnel(device):
            session.set_up(device.name)
            if device.kind == "sit":
                session.strip(device.name)
        case operations.RemoveTunnel(device):
            session.delete(device.name)
        case operations.OpenPort(port, device, kept):
            if device:
                links.set_alias(device, alias(kept))
            fou.open_port(port)
        case operations.ClosePort(port, device, kept):
            _close(port)
            links.set_alias(device, alias(kept))
        case operations.ExchangeTable(rules):
            nft.exchange(rules)
        case operations.RemoveTable():
            nft.remove()


def _close(port: Port) -> None:
    try:
        fou.close_port(port)
    except RefusedError as refused:
        # The kernel takes nothing there (EINVAL), or no longer anything anywhere (ENOENT).
        if refused.code not in {errno.EINVAL, errno.ENOENT}:
            raise


_UNSUPPORTED: Final = {
    errno.EOPNOTSUPP,
    errno.EAFNOSUPPORT,
    errno.EPFNOSUPPORT,
    errno.EPROTONOSUPPORT,
    errno.ENOENT,
}
"""What the kernel says where it lacks a kind of device, a family, or the module fou."""


def _ipv4_only(outer_ipv6: bool) -> str:  # noqa: FBT001 - what it is for is in its name
    return ', or underlay = "ipv4"' if outer_ipv6 else ""


def hint(code: int, operation: Operation) -> str:
    """What people can do about a refusal."""
    match operation:
        case operations.CreateTunnel(device) if code in _UNSUPPORTED:
            return f"modprobe {module(device)}" + _ipv4_only(device.kind.startswith("ip6"))
        case operations.CreateTunnel(device) if code == errno.EEXIST:
            return (
                f"the host has another {device.kind} device for packets from anybody:"
                " set it up, or delete it"
            )
        case operations.OpenPort(port) if code in _UNSUPPORTED:
            return "modprobe fou" + _ipv4_only(port.family is Family.INET6)
        case operations.OpenPort(port) if code == errno.EADDRINUSE:
            return f"ss -lunp sport = :{port.number}"
        case _:
            return ""
