"""Which sysctls the table needs: from virtual services to names, values and reasons.

Left alone on purpose: net.ipv4.vs.conntrack (it costs throughput, and only netfilter rules that
must see these flows need it), and net.ipv4.vs.sloppy_tcp (state from any packet, a choice of its
operator).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Literal, NamedTuple

from clusterf.model.address import Family
from clusterf.model.table import FwmarkKey, Method, Protocol, ServiceKey, VirtualService

Arp = Literal["auto", "silent", "answer"]

RP_FILTER = "net.ipv4.conf.{}.rp_filter"
_ALL_RP_FILTER = RP_FILTER.format("all")
_RP_FILTER = RP_FILTER.rpartition("}")[2]
_STRICT, _LOOSE = 1, 2


class Feature(StrEnum):
    """What in a table asks for a sysctl."""

    SERVICE = "a virtual service"
    VIP4 = "an IPv4 VIP"
    MASQ4 = "IPv4 by masq"
    MASQ6 = "IPv6 by masq"
    DIRECT4 = "IPv4 by droute or tunnel"
    DIRECT = "droute or tunnel"
    PERSISTENCE = "persistence"
    UDP = "UDP"


class Need(NamedTuple):
    """A sysctl, the value to set where it has none of the ``fitting`` ones, and why."""

    name: str
    wanted: int
    why: str
    fitting: frozenset[int]


class Wrong(NamedTuple):
    """A sysctl that is not as needed."""

    name: str
    value: int
    need: Need

    @property
    def command(self) -> str:
        """What sets it right."""
        return f"sysctl -w {self.name}={self.need.wanted}"

    def __str__(self) -> str:
        return f"{self.name} is {self.value}, but {self.need.why}"


def features(entries: Iterable[tuple[ServiceKey, VirtualService]]) -> set[Feature]:
    """What these entries of a table have that asks for a sysctl."""
    found: set[Feature] = set()
    for key, service in entries:
        found.add(Feature.SERVICE)
        inet = key.family is Family.INET
        if not isinstance(key, FwmarkKey):
            if inet:
                found.add(Feature.VIP4)
            if key.protocol is Protocol.UDP:
                found.add(Feature.UDP)
        if service.persistence is not None:
            found.add(Feature.PERSISTENCE)
        methods = {destination.method for destination in service.destinations.values()}
        if Method.MASQ in methods:
            found.add(Feature.MASQ4 if inet else Feature.MASQ6)
        if methods - {Method.MASQ}:
            found |= {Feature.DIRECT, Feature.DIRECT4} if inet else {Feature.DIRECT}
    return found


def needs(
    found: set[Feature], arp: Arp, kernel: tuple[int, int], receivers: Iterable[str] = ()
) -> list[Need]:
    """Sysctls for a table with these features. ``kernel``: Linux version, such as (6, 1).

    ``receivers``: devices by which packets come out of tunnels.
    """
    return [
        *(need for need, needed in _candidates(found, arp, kernel) if needed),
        *(tunnelled(device) for device in receivers),
    ]


def tunnelled(device: str) -> Need:
    """What a device needs by which packets come out of tunnels.

    2 holds whatever "all" says, of which and the device's own the larger one counts.
    """
    return _need(
        RP_FILTER.format(device.replace(".", "/")),
        _LOOSE,
        "packets come out of tunnels by a device that does not lead back to their sender",
        0,
    )


def _candidates(
    found: set[Feature], arp: Arp, kernel: tuple[int, int]
) -> Iterable[tuple[Need, bool]]:
    silent = arp == "silent" or (arp == "auto" and Feature.DIRECT4 in found)
    silent = silent and Feature.VIP4 in found
    yield (
        _need("net.ipv4.ip_forward", 1, "with masq the replies of real servers are forwarded here"),
        Feature.MASQ4 in found,
    )
    yield (
        _need(
            "net.ipv6.conf.all.forwarding",
            1,
            "with masq the replies of real servers are forwarded here",
            2,
        ),
        Feature.MASQ6 in found,
    )
    yield (
        _need(
            "net.ipv4.conf.all.arp_ignore",
            1,
            "this host must not answer ARP for VIPs that other hosts of the segment have too",
            2,
            8,
        ),
        silent,
    )
    yield (
        _need(
            "net.ipv4.conf.all.arp_announce",
            2,
            "this host must not send ARP in the name of VIPs that other hosts have too",
        ),
        silent,
    )
    yield (
        _need(
            _ALL_RP_FILTER,
            _LOOSE,
            "droute and tunnel bring packets by ways on which a strict check drops them",
            0,
        ),
        Feature.DIRECT4 in found,
    )
    yield (
        _need(
            "net.ipv4.vs.expire_quiescent_template",
            1,
            "otherwise persistence sends new connections to quiesced destinations",
        ),
        Feature.PERSISTENCE in found,
    )
    yield (
        _need(
            "net.ipv4.vs.expire_nodest_conn",
            1,
            "otherwise a steady UDP sender, and with droute and tunnel a client that uses a port"
            " again, keep sending to a destination that is gone",
        ),
        # conn_reuse_mode sees the end of a TCP connection only where replies pass by: with masq.
        bool(found & {Feature.UDP, Feature.DIRECT}),
    )
    yield (
        _need(
            "net.ipv4.vs.conn_reuse_mode",
            1,
            "otherwise a client that uses a port again stays with a quiesced destination",
        ),
        # Before 5.9, and with conntrack, 1 delays such a client by a second (commit f0a5e4d7a594).
        Feature.SERVICE in found and kernel >= (5, 9),
    )


def _need(name: str, wanted: int, why: str, *also: int) -> Need:
    return Need(name, wanted, why, frozenset({wanted, *also}))


NAMES = tuple(
    need.name
    for need, _ in _candidates(set(Feature), "silent", (6, 1))
    if "rp_filter" not in need.name
)
"""Every sysctl that may be asked for; those of rp_filter are per interface."""


def wrong(asked: Iterable[Need], sysctls: Mapping[str, int]) -> list[Wrong]:
    """Which of them are not as needed, each once. What the kernel does not have is not wrong."""
    found: dict[str, Wrong] = {}
    for need in asked:
        for name, value in _values(need, sysctls):
            if value not in need.fitting:
                found.setdefault(name, Wrong(name, value, need))
    return list(found.values())


def _values(need: Need, sysctls: Mapping[str, int]) -> Iterable[tuple[str, int]]:
    """The sysctls that a need is about, each with the value that counts.

    Of rp_filter the larger of "all" and the interface's own holds (ip-sysctl.rst).
    """
    if need.name == _ALL_RP_FILTER:
        if sysctls.get(_ALL_RP_FILTER) != _LOOSE:
            filters = (one for one in sysctls.items() if one[0].endswith(_RP_FILTER))
            yield from sorted(filters)
    elif need.name in sysctls:
        value = sysctls[need.name]
        if need.name.endswith(_RP_FILTER):
            value = max(value, sysctls.get(_ALL_RP_FILTER, 0))
        yield need.name, value
