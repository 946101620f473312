"""ipvsadm's notation for entries of the table: one way to write a thing wherever it is shown."""

from __future__ import annotations

from typing import TYPE_CHECKING

from clusterf.model.address import Family
from clusterf.model.table import FwmarkKey, Method, Protocol, TunnelType

if TYPE_CHECKING:
    from clusterf.model.table import Destination, DestinationKey, ServiceKey, VirtualService

_PROTOCOL = {Protocol.TCP: "-t", Protocol.UDP: "-u", Protocol.SCTP: "--sctp-service"}
_METHOD = {Method.MASQ: "-m", Method.DROUTE: "-g", Method.TUNNEL: "-i"}


def service_key(key: ServiceKey) -> str:
    """``-t 192.0.2.1:80``, ``-f 7``, ``-f 7 -6``."""
    if isinstance(key, FwmarkKey):
        return f"-f {key.mark}" + (" -6" if key.family is Family.INET6 else "")
    return f"{_PROTOCOL[key.protocol]} {str(key).split(' ', 1)[1]}"


def service(command: str, key: ServiceKey, settings: VirtualService | None) -> str:
    """A whole line for a virtual service; ``settings`` is None for a deletion."""
    words = [command, service_key(key)]
    if settings is not None:
        words.append(f"-s {settings.scheduler}")
        if settings.persistence is not None:
            words.append(f"-p {settings.persistence.timeout}")
            if settings.persistence.prefix != key.family.bits:
                words.append(f"-M {netmask(key.family, settings.persistence.prefix)}")
        if scheduler_flags := sorted(settings.flags - {"ops"}):
            words.append(f"-b {','.join(scheduler_flags)}")
        if "ops" in settings.flags:
            words.append("-o")
    return " ".join(words)


def destination(
    command: str, key: ServiceKey, target: DestinationKey, settings: Destination | None
) -> str:
    """A whole line for a destination; ``settings`` is None for a deletion."""
    words = [command, service_key(key), f"-r {target}"]
    if settings is not None:
        words.append(_METHOD[settings.method])
        if settings.tunnel is not None and settings.method is Method.TUNNEL:
            words.append(f"--tun-type {settings.tunnel.type}")
            if settings.tunnel.type is TunnelType.GUE:
                words.append(f"--tun-port {settings.tunnel.port}")
            if settings.tunnel.type is not TunnelType.IPIP:
                words.append(f"--tun-{settings.tunnel.flags}")
        words.append(f"-w {settings.weight}")
        if settings.upper_threshold:
            words.append(f"-x {settings.upper_threshold}")
        if settings.lower_threshold:
            words.append(f"-y {settings.lower_threshold}")
    return " ".join(words)


def netmask(family: Family, prefix: int) -> str:
    """IPv4: dotted mask; IPv6: the prefix length. The two forms of ``ipvsadm -M``."""
    if family is Family.INET6:
        return str(prefix)
    mask = (0xFFFFFFFF << (32 - prefix)) & 0xFFFFFFFF
    return ".".join(str(mask >> shift & 0xFF) for shift in (24, 16, 8, 0))
