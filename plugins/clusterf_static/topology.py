"""Services against each other and against the whole configuration. Pure.

What is refused here is refused at run time too, by the pipeline, one service or backend at a time.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeAlias

from clusterf.model.problem import Severity
from clusterf.model.scope import Scope
from clusterf.model.service import Backend, Frontend, ServiceSpec
from clusterf.model.table import AddressKey, FwmarkKey, Method, Protocol, ServiceKey
from clusterf.plugin import Code, Configured, Document, Fault, Problem, misfits
from clusterf_static.records import Content, Section, read_backends

At = tuple[str | int, ...]


class Known(NamedTuple):
    """One file of a source, or what stands in place in ``document`` below ``at``."""

    source: str
    document: Document
    at: At
    content: Content


_Claimed: TypeAlias = dict[ServiceKey, tuple[str, Document, At]]


class _Claim(NamedTuple):
    """An entry of the table that a frontend asks for, and the place where it does."""

    key: ServiceKey
    at: At


def check_topology(known: Iterable[Known], configuration: Configured) -> Iterator[Problem]:
    """Problems of services that are right by themselves."""
    known = list(known)
    claimed: _Claimed = {}
    core = configuration.core
    scope = Scope(core.managed, core.managed_fwmarks)
    alone = all(instance.type.name == "static" for instance in configuration.sources.values())
    with_frontend = {
        name
        for one in known
        for name, section in one.content.services.items()
        if section.spec.frontends
    }
    for one in known:
        faults: list[Fault] = []
        for name, section in one.content.services.items():
            at: At = (*one.at, "services", name)
            checked = _Checked(one, section, at, configuration)
            faults.extend(checked.settings())
            faults.extend(checked.claims(claimed, scope))
            faults.extend(checked.backends())
            if alone and name not in with_frontend:
                faults.append(
                    Fault(
                        at,
                        "no source gives this service a frontend",
                        'such as frontend = { ipv4 = "192.0.2.1", tcp = 80 }',
                        Code.NO_FRONTEND,
                        Severity.WARNING,
                        on_key=True,
                    )
                )
        faults.extend(_unused_routes(one, configuration))
        yield from one.document.problems(faults)


@dataclass(slots=True)
class _Checked:
    """One service with what it inherits."""

    known: Known
    section: Section
    at: At
    configuration: Configured

    @property
    def spec(self) -> ServiceSpec:
        return self.section.spec

    def settings(self) -> Iterator[Fault]:
        """Settings of the service together with the defaults."""
        spec, defaults = self.spec, self.configuration.defaults
        if spec.flags is not None and spec.scheduler is None:
            for flag in misfits(defaults.scheduler, spec.flags):
                yield Fault(
                    (*self.at, "flags"),
                    f"scheduler {defaults.scheduler}, the default, has no flag {flag}",
                    code=Code.FLAG_WITHOUT_SCHEDULER,
                )
        upper = _either(spec.upper_threshold, defaults.upper_threshold)
        lower = _either(spec.lower_threshold, defaults.lower_threshold)
        if lower > upper and None in {spec.upper_threshold, spec.lower_threshold}:
            key = "lower_threshold" if spec.lower_threshold is not None else "upper_threshold"
            if getattr(spec, key) is not None:
                yield Fault(
                    (*self.at, key),
                    f"the lower threshold, {lower}, is above the upper one, {upper}",
                    code=Code.THRESHOLDS,
                )

    def claims(self, claimed: _Claimed, scope: Scope) -> Iterator[Fault]:
        """VIPs: managed, and nobody else's. The earlier service keeps what two ask for."""
        sticky = self.spec.persistence or self.configuration.defaults.persistence
        outside: set[At] = set()
        for key, at in self._claims():
            if not scope.owns(key):
                if at not in outside:
                    outside.add(at)
                    what = f"fwmark {key.mark}" if isinstance(key, FwmarkKey) else str(key.address)
                    yield Fault(
                        at,
                        f"{what} is not managed",
                        "see managed and managed_fwmarks in [clusterf]",
                        Code.OUTSIDE_MANAGED,
                    )
                continue
            if isinstance(key, AddressKey) and key.port == 0 and sticky is None:
                yield Fault(
                    (*at[:-1], str(key.protocol)),
                    "port 0 means all ports, and that needs persistence",
                    'such as persistence = "5m"',
                    Code.PORT_ZERO,
                )
            holder, document, first = claimed.setdefault(
                key, (self.spec.name, self.known.document, at)
            )
            if holder != self.spec.name:
                yield Fault(
                    at,
                    f"{key} belongs to service {holder}, which comes first",
                    f"see {document.name}:{document.place(first)[0]}",
                    Code.DUPLICATE_VIP,
                )

    def backends(self) -> Iterator[Fault]:
        """Backends that can never serve what the frontends offer."""
        claims = [key for key, _ in self._claims()]
        defaults = self.configuration.defaults
        service_upper = _either(self.spec.upper_threshold, defaults.upper_threshold)
        service_lower = _either(self.spec.lower_threshold, defaults.lower_threshold)
        raw = self._raw().get("backends", [])
        for backend in self.section.backends.values():
            faults: list[Fault] = []
            if claims:
                faults.extend(self._unreachable(backend, claims))
            upper = _either(backend.upper_threshold, service_upper)
            lower = _either(backend.lower_threshold, service_lower)
            own = (backend.upper_threshold, backend.lower_threshold)
            if lower > upper and own != (None, None):
                message = f"the lower threshold, {lower}, is above the upper one, {upper}"
                faults.append(Fault((), message, code=Code.THRESHOLDS))
            if faults:
                index = _index(raw, backend)
                yield from (fault.below((*self.at, "backends", index)) for fault in faults)

    def _unreachable(self, backend: Backend, claims: list[ServiceKey]) -> Iterator[Fault]:
        method = backend.method or self.spec.method
        # A policy may choose another method or gateway than the default.
        certain = method is not None or not self.configuration.policies
        method = method or self.configuration.defaults.method
        offered = [
            key
            for key in claims
            if isinstance(key, FwmarkKey) or backend.ports.of(key.protocol) is not None
        ]
        if not offered:
            protocols = ", ".join(sorted({str(_protocol(key)) for key in claims}))
            yield Fault((), f"has no port for {protocols}", code=Code.UNUSED_BACKEND)
            return
        if not certain:
            return
        reached = [
            key
            for key in offered
            if backend.address(key.family) is not None or method is Method.TUNNEL
        ]
        if not reached:
            other = "inet6" if backend.ipv4 is not None else "inet"
            yield Fault(
                (),
                f"is not of the address family of the VIP, {other}",
                'only method = "tunnel" can do that',
                Code.FAMILY_MISMATCH,
            )
        for key in reached if method is not Method.MASQ else ():
            if isinstance(key, FwmarkKey) or key.port == 0:
                continue
            port = backend.ports.of(key.protocol)
            if port != key.port:
                yield Fault(
                    (),
                    f"its port {port} is not that of {key}: {method} cannot change ports",
                    'use the same port, or method = "masq"',
                    Code.PORT_REWRITE,
                )
                return

    def _raw(self) -> dict[str, Any]:
        data: Any = self.known.document.data
        for part in self.at:
            data = data[part]
        return dict(data)

    def _claims(self) -> Iterator[_Claim]:
        many = "frontends" in self._raw()
        for index, frontend in enumerate(self.spec.frontends or ()):
            at = (*self.at, "frontends", index) if many else (*self.at, "frontend")
            yield from _frontend_claims(frontend, at)


def _frontend_claims(frontend: Frontend, at: At) -> Iterator[_Claim]:
    if frontend.fwmark is not None:
        yield _Claim(FwmarkKey(frontend.family, frontend.fwmark), (*at, "fwmark"))
    for address, key in ((frontend.ipv4, "ipv4"), (frontend.ipv6, "ipv6")):
        for protocol in Protocol if address is not None else ():
            port = frontend.ports.of(protocol)
            if port is not None and address is not None:
                yield _Claim(AddressKey(protocol, address, port), (*at, key))


def _protocol(key: ServiceKey) -> Protocol | None:
    return key.protocol if isinstance(key, AddressKey) else None


def _either(value: int | None, default: int) -> int:
    return default if value is None else value


def _index(raw: list[Any], backend: Backend) -> int:
    """Place of a backend in the file's own list, which may hold others that were refused."""
    for index, item in enumerate(raw):
        if backend.id in read_backends([item], backend.service, backend.provenance, []):
            return index
    return 0


def _unused_routes(known: Known, configuration: Configured) -> Iterator[Fault]:
    if not known.content.routes:
        return
    if not any(policy.type.name == "routes" for policy in configuration.policies):
        yield Fault(
            (*known.at, "routes"),
            "routes have no effect without a policy of type routes",
            'add [[policies]] with type = "routes"',
            Code.UNUSED_ROUTES,
            Severity.WARNING,
            on_key=True,
        )
