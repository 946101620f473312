"""From rules of ipvsadm to services: what ``ipvsadm -R`` would have in the kernel. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from clusterf.model.address import Address, Family
from clusterf.model.service import Frontend, Ports, StickyClients
from clusterf.model.table import (
    SCHEDULERS,
    WEIGHT_MAX,
    AddressKey,
    FwmarkKey,
    Method,
    Protocol,
    ServiceKey,
    Tunnel,
    TunnelType,
)
from clusterf_import.ipvsadm.rules import Given, Rule
from clusterf_import.numbers import number, prefix
from clusterf_import.places import Findings
from clusterf_import.services import ImportedBackend, ImportedService, name_of, unique_name
from clusterf_import.tunnels import checked

_PROTOCOLS = {"-t": Protocol.TCP, "-u": Protocol.UDP, "--sctp-service": Protocol.SCTP}
_METHODS = {"-m": Method.MASQ, "-g": Method.DROUTE, "-i": Method.TUNNEL}
_TUNNEL_FLAGS = {"--tun-nocsum": "nocsum", "--tun-csum": "csum", "--tun-remcsum": "remcsum"}
_PERSISTENCE = 300
"""Seconds, where -p has no number: ipvsadm.c."""

_PERSISTENCE_MAX = 31 * 86400
_THRESHOLD_MAX = 2**32 - 1


class Wrong(ValueError):
    """What makes a line be left out, with the word that is to blame."""

    def __init__(self, given: Given, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.given = given
        self.hint = hint


@dataclass(slots=True)
class _Entry:
    """A virtual service while its destinations are added."""

    service: ImportedService
    backends: dict[str, ImportedBackend] = field(default_factory=dict)


def services(rules: Iterable[Rule], findings: Findings) -> list[ImportedService]:
    """All virtual services with their destinations, in the order of the rules."""
    entries: dict[ServiceKey, _Entry] = {}
    for rule in rules:
        try:
            _add(rule, entries, findings)
        except Wrong as error:
            findings.error(error.given.place, f"{error}; the line is left out", error.hint)
    return [
        replace(entry.service, backends=tuple(entry.backends.values()))
        for entry in entries.values()
    ]


def _add(rule: Rule, entries: dict[ServiceKey, _Entry], findings: Findings) -> None:
    if "-A" in rule.options:
        _add_service(rule, entries, findings)
    elif "-a" in rule.options:
        _add_server(rule, entries, findings)
    else:
        raise Wrong(Given("", rule.place), "is neither -A nor -a")


def _add_service(rule: Rule, entries: dict[ServiceKey, _Entry], findings: Findings) -> None:
    options = rule.options
    key, where = _key(rule)
    if key in entries:
        raise Wrong(where, f"{key} is there already")
    scheduler = options.get("-s", Given("wlc", rule.place))
    if scheduler.value not in SCHEDULERS:
        raise Wrong(scheduler, f'unknown scheduler "{scheduler.value}"')
    persistence = _persistence(options, key)
    if isinstance(key, AddressKey) and key.port == 0 and persistence is None:
        raise Wrong(where, "all ports need persistence", "-p")
    if "--pe" in options:
        findings.warning(options["--pe"].place, "--pe is not carried over", "clusterf has none")
    name = unique_name(name_of(key), (entry.service.name for entry in entries.values()))
    entries[key] = _Entry(
        ImportedService(
            name=name,
            title=f"{' '.join(rule.place.source.split())} ({rule.place})",
            frontends=(_frontend(key),),
            scheduler=scheduler.value,
            flags=_flags(options, key, scheduler.value, findings),
            persistence=persistence,
        )
    )


def _add_server(rule: Rule, entries: dict[ServiceKey, _Entry], findings: Findings) -> None:
    options = rule.options
    key, where = _key(rule)
    entry = entries.get(key)
    if entry is None:
        raise Wrong(where, f"there is no virtual service {key} before it", "ipvsadm -A adds one")
    real = options.get("-r")
    if real is None:
        raise Wrong(Given("", rule.place), "has no -r")
    address, port = _endpoint(real)
    if not address.is_unicast:
        raise Wrong(real, f"{address} is no address of a server")
    method = next((way for name, way in _METHODS.items() if name in options), Method.DROUTE)
    if method is not Method.TUNNEL and address.family is not key.family:
        raise Wrong(real, f"{address} is not of the address family of {key}", "only -i can do that")
    own = key.port if isinstance(key, AddressKey) else 0
    if method is not Method.MASQ and port not in {0, own}:
        message = f"port {port} is not that of {key}; the port that clients ask for is kept"
        findings.warning(real.place, message, "only -m can change ports")
    upper = _number(options, "-x", _THRESHOLD_MAX, 0)
    lower = _number(options, "-y", _THRESHOLD_MAX, 0)
    if lower > upper:
        raise Wrong(options["-y"], f"{lower} is above the upper threshold, {upper}")
    backend = ImportedBackend(
        address=address,
        port=port or own if method is Method.MASQ else own,
        weight=_number(options, "-w", WEIGHT_MAX, 1),
        method=method,
        tunnel=_tunnel(options) if method is Method.TUNNEL else Tunnel(),
        upper_threshold=upper,
        lower_threshold=lower,
        origin=str(rule.place),
    )
    if str(backend) in entry.backends:
        raise Wrong(real, f"{backend} is there already")
    entry.backends[str(backend)] = backend


# --- the parts of a rule -------------------------------------------------------------------------


def _key(rule: Rule) -> tuple[ServiceKey, Given]:
    for option, protocol in _PROTOCOLS.items():
        if (given := rule.options.get(option)) is not None:
            address, port = _endpoint(given)
            if not address.is_unicast:
                raise Wrong(given, f"{address} is no address of a virtual service")
            return AddressKey(protocol, address, port), given
    mark = rule.options.get("-f")
    if mark is None:
        raise Wrong(Given("", rule.place), "names no virtual service", "-t, -u, --sctp-service, -f")
    value = number(mark.value, 1, 2**32 - 1)
    if value is None:
        raise Wrong(mark, f'"{mark.value}" is not a firewall mark')
    return FwmarkKey(Family.INET6 if "-6" in rule.options else Family.INET, value), mark


def _frontend(key: ServiceKey) -> Frontend:
    if isinstance(key, FwmarkKey):
        return Frontend(fwmark=key.mark, family=key.family)
    ports = Ports(**{key.protocol.value: key.port})
    if key.family is Family.INET:
        return Frontend(ipv4=key.address, ports=ports)
    return Frontend(ipv6=key.address, ports=ports)


def _endpoint(given: Given) -> tuple[Address, int]:
    """``192.0.2.1:80``, ``[2001:db8::1]:80``; without a port it is 0."""
    text = given.value
    if text.startswith("[") and "]" in text:
        host, _, port = text[1:].partition("]")
        port = port.removeprefix(":") or "0"
    elif text.count(":") == 1:
        host, _, port = text.partition(":")
    else:
        host, port = text, "0"
    read = number(port, 0, 65535)
    try:
        address = Address.parse(host)
    except ValueError:
        raise Wrong(given, f'"{host}" is not an IP address', "ipvsadm -S -n prints them") from None
    if read is None:
        raise Wrong(given, f'"{port}" is not a port', "ipvsadm -S -n prints numbers")
    return address, read


def _number(options: dict[str, Given], option: str, most: int, default: int) -> int:
    given = options.get(option)
    if given is None:
        return default
    value = number(given.value, 0, most)
    if value is None:
        raise Wrong(given, f"{option} is not a number from 0 to {most}")
    return value


def _persistence(options: dict[str, Given], key: ServiceKey) -> StickyClients | None:
    given = options.get("-p")
    mask = options.get("-M")
    if given is None:
        if mask is not None:
            raise Wrong(mask, "-M is of no use without -p")
        return None
    timeout = number(given.value, 1, _PERSISTENCE_MAX) if given.value else _PERSISTENCE
    if timeout is None:
        raise Wrong(given, f"-p is not a number of seconds from 1 to {_PERSISTENCE_MAX}")
    length = key.family.bits if mask is None else prefix(mask.value, key.family)
    if length is None:
        raise Wrong(mask or given, "-M is no netmask", "255.255.255.0, or a length for IPv6")
    if key.family is Family.INET6:
        return StickyClients(timeout, prefix6=length)
    return StickyClients(timeout, prefix4=length)


def _flags(
    options: dict[str, Given], key: ServiceKey, scheduler: str, findings: Findings
) -> frozenset[str]:
    flags = set()
    given = options.get("-b")
    for flag in given.value.split(",") if given is not None else ():
        if flag in SCHEDULERS[scheduler]:
            flags.add(flag)
        elif given is not None:
            message = f"{flag} is not carried over"
            findings.warning(given.place, message, f"scheduler {scheduler} has no such flag")
    if "-o" in options:
        if isinstance(key, AddressKey) and key.protocol is not Protocol.UDP:
            raise Wrong(options["-o"], "one-packet scheduling is for UDP")
        flags.add("ops")
    return frozenset(flags)


def _tunnel(options: dict[str, Given]) -> Tunnel:
    kind = options.get("--tun-type")
    if kind is not None and kind.value not in set(TunnelType):
        raise Wrong(kind, f'"{kind.value}" is not a type of tunnel')
    port = _number(options, "--tun-port", 65535, 0)
    flag = next((flag for name, flag in _TUNNEL_FLAGS.items() if name in options), "nocsum")
    type_ = TunnelType(kind.value) if kind is not None else TunnelType.IPIP
    try:
        return checked(Tunnel(type_, port, flag))
    except ValueError as error:
        raise Wrong(kind or options["-i"], str(error)) from error
