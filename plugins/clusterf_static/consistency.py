"""A file against the rest of the configuration, where the pipeline has nothing to say of it. Pure.

Thresholds are the kernel's to refuse, and routes that no policy asks for are nobody's. What is
said twice, or of what the kernel makes nothing, does no harm and is hardly meant.
"""

from __future__ import annotations

from collections.abc import Iterator

from clusterf.model.address import Address, endpoint
from clusterf.model.problem import Severity
from clusterf.model.service import Frontend, ServiceSpec
from clusterf.model.table import Method, Protocol
from clusterf.plugin import Code, Configured, Fault, never_holding
from clusterf_static.part import Part, either
from clusterf_static.records import Section

_LOOPBACK4 = b"\x7f"
_LOOPBACK6 = Address.parse("::1")


def consistency_faults(part: Part, configuration: Configured) -> Iterator[Fault]:
    """Faults of what is right by itself, at their places in the document."""
    defaults = configuration.defaults
    for name, section in part.content.services.items():
        spec = section.spec
        at = part.service(name)
        upper = either(spec.upper_threshold, defaults.upper_threshold)
        lower = either(spec.lower_threshold, defaults.lower_threshold)
        if lower > upper and None in {spec.upper_threshold, spec.lower_threshold}:
            key = "lower_threshold" if spec.lower_threshold is not None else "upper_threshold"
            if getattr(spec, key) is not None:
                yield _crossed(upper, lower).below((*at, key))
        yield from _of_backends(part, name, section, (upper, lower))
        yield from (fault.below(at) for fault in _of_frontends(section.spec))
        yield from _on_loopback(part, name, section, defaults.method)
    for route, holder in never_holding(part.content.routes.values()):
        yield Fault(
            (*part.at, "routes", route.name, *(("prefix",) if route.prefix else ())),
            f"never holds: routes.{holder.name} is of the same prefix and comes first",
            code=Code.CONTRADICTION,
            severity=Severity.WARNING,
        )
    if part.content.routes and not _followed(configuration):
        yield Fault(
            (*part.at, "routes"),
            "routes have no effect without a policy of type routes",
            'add [[policies]] with type = "routes"',
            Code.UNUSED_ROUTES,
            Severity.WARNING,
            on_key=True,
        )


def _followed(configuration: Configured) -> bool:
    """Whether anybody has a use for routes: a policy, or an output that tells others of them."""
    return any(policy.type.name == "routes" for policy in configuration.policies) or any(
        getattr(output.type, "publishes", False) for output in configuration.outputs.values()
    )


def _of_backends(
    part: Part, name: str, section: Section, service: tuple[int, int]
) -> Iterator[Fault]:
    for backend in section.backends.values():
        if backend.upper_threshold is None and backend.lower_threshold is None:
            continue
        upper = either(backend.upper_threshold, service[0])
        lower = either(backend.lower_threshold, service[1])
        if lower > upper:
            yield _crossed(upper, lower).below(part.backend(name, backend.id))


def _of_frontends(spec: ServiceSpec) -> Iterator[Fault]:
    frontends = spec.frontends or ()
    seen: set[tuple[object, ...]] = set()
    for index, frontend in enumerate(frontends if len(frontends) > 1 else ()):
        for entry in _entries(frontend):
            if entry in seen:
                message = f"asks for {' '.join(map(str, entry))}, as one before it does"
                yield Fault(("frontends", index), message, code=Code.CONTRADICTION).as_warning()
                break
        seen.update(_entries(frontend))
    datagrams = any(one.ports.udp is not None or one.fwmark is not None for one in frontends)
    if frontends and "ops" in (spec.flags or ()) and not datagrams:
        message = "ops has no effect: one-packet scheduling is for UDP, and no frontend has it"
        yield Fault(("flags",), message, code=Code.FLAG_WITHOUT_SCHEDULER).as_warning()


def _entries(frontend: Frontend) -> Iterator[tuple[object, ...]]:
    """What it asks for, in words of a message."""
    if frontend.fwmark is not None:
        yield "fwmark", frontend.fwmark, frontend.family
    for address in (frontend.ipv4, frontend.ipv6):
        for protocol, port in zip(Protocol, frontend.ports, strict=True):
            if address is not None and port is not None:
                yield protocol, endpoint(address, port)


def _on_loopback(part: Part, name: str, section: Section, default: Method) -> Iterator[Fault]:
    """Backends to which the kernel does not rewrite (ip_vs_xmit.c, ip_vs_nat_xmit)."""
    method = section.spec.method or default
    for backend in section.backends.values():
        here = backend.ipv6 == _LOOPBACK6 or (backend.ipv4 or b"")[:1] == _LOOPBACK4
        if here and (backend.method or method) is Method.MASQ:
            yield Fault(
                part.backend(name, backend.id),
                f"{backend.ipv4 or backend.ipv6} is a loopback address: by masq it gets no packet"
                " of clients elsewhere",
                "give an address that this host has on another interface",
                Code.UNUSED_BACKEND,
                Severity.WARNING,
            )


def _crossed(upper: int, lower: int) -> Fault:
    return Fault(
        (), f"the lower threshold, {lower}, is above the upper one, {upper}", code=Code.THRESHOLDS
    )
