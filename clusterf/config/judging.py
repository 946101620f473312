"""How bad a refusal of the pipeline is before anything runs, and where it stands in the files."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from clusterf.config.known import Known
from clusterf.model.address import Family
from clusterf.model.problem import Code, Problem, Severity
from clusterf.model.provenance import Refusal
from clusterf.model.service import Backend, Ref, Service, ServiceRef
from clusterf.model.table import ServiceKey
from clusterf.pipeline.claims import Claims
from clusterf.pipeline.decide import PolicyFailed
from clusterf.plugin.checking import Foretold
from clusterf.plugin.document import Fault


class _Meaning(NamedTuple):
    """What a refusal of the pipeline is before anything runs.

    ``routed``: a policy that knows more, such as routes of a source that has not spoken, may do
    without it.
    """

    code: Code
    severity: Severity = Severity.ERROR
    hint: str = ""
    routed: bool = False


_MEANINGS: Mapping[str, _Meaning] = {
    "outside_managed": _Meaning(
        Code.OUTSIDE_MANAGED, hint="see managed and managed_fwmarks in [clusterf]"
    ),
    "not_unicast": _Meaning(Code.MALFORMED, hint="a VIP is a unicast address"),
    "port_zero": _Meaning(Code.PORT_ZERO, hint='such as persistence = "5m"'),
    "duplicate_vip": _Meaning(Code.DUPLICATE_VIP),
    "unknown_scheduler": _Meaning(Code.UNKNOWN_CHOICE),
    "unknown_flag": _Meaning(Code.FLAG_WITHOUT_SCHEDULER),
    "no_vip": _Meaning(Code.NO_FRONTEND),
    "no_frontend": _Meaning(
        Code.NO_FRONTEND, Severity.WARNING, 'such as frontend = { ipv4 = "192.0.2.1", tcp = 80 }'
    ),
    "conflict": _Meaning(Code.CONFLICT, Severity.WARNING),
    "no_match": _Meaning(
        Code.UNUSED_BACKEND, hint="the backend and a frontend need a protocol in common"
    ),
    "family_mismatch": _Meaning(
        Code.FAMILY_MISMATCH, hint='only method = "tunnel" can do that', routed=True
    ),
    "port_rewrite_needs_masq": _Meaning(
        Code.PORT_REWRITE, hint='use the same port, or method = "masq"', routed=True
    ),
    "method_conflict": _Meaning(
        Code.METHOD_CONFLICT, Severity.WARNING, "give both the same method", routed=True
    ),
}
_BY_POLICY = _Meaning(Code.LEFT_OUT, Severity.NOTE, routed=True)
"""Policies have reasons of their own, and what they leave out they leave out on purpose."""


OF_BACKENDS = ("no_match", "family_mismatch", "port_rewrite_needs_masq", "method_conflict")
"""Refusals of backends that are held against the frontends."""

_UNREACHABLE = {Code.UNUSED_BACKEND, Code.FAMILY_MISMATCH, Code.PORT_REWRITE}


@dataclass(frozen=True, slots=True)
class Certainty:
    """What is known beside the files.

    ``complete``: nothing but the files has a say. ``routed``: the policies are known, and so are
    the routes; without that, a refusal that a route can undo is a note.
    """

    complete: bool
    routed: bool


@dataclass(slots=True)
class Judge:
    """Makes problems of refusals."""

    known: Known
    certainty: Certainty
    problems: list[Problem] = field(default_factory=list)
    _told: set[tuple[str, int, int, str, str]] = field(default_factory=set)
    _explained: set[str] = field(default_factory=set)
    """Services of which an error says already why a backend does not serve."""

    def refused(self, service: Service, refusal: Refusal, claims: Claims) -> None:
        """Tell a refusal, with its place, unless it may be otherwise at run time."""
        meaning = _MEANINGS.get(refusal.reason, _BY_POLICY)
        message, hint = refusal.detail, meaning.hint or refusal.hint
        if refusal.reason == "no_frontend" and not self.certainty.complete:
            return  # another source may give it one
        about = refusal.about
        if refusal.reason == "no_match" and about is not None:
            meaning = _MEANINGS["family_mismatch"]
            hint = meaning.hint
            message = f"is of another address family than {about}"
            about = None
        elif refusal.reason == "no_match":
            message = "has no port of a protocol that a frontend of the service offers"
        elif refusal.reason == "conflict":
            message = "is not used: a source that comes first says otherwise"
            hint = self._see(refusal.subject, about)
        elif refusal.reason == "port_zero":
            message = "port 0 means all ports, and that needs persistence"
        elif refusal.reason == "duplicate_vip" and about is not None and not isinstance(about, str):
            message = f"{about} belongs to service {claims.holder(about)}, which comes first"
            hint = self._see(f"service {claims.holder(about)}", about)
        if isinstance(about, tuple) and refusal.subject != f"service {service.name}":
            about = None
        severity = meaning.severity
        if meaning.routed and not self.certainty.routed and severity is not Severity.NOTE:
            severity = Severity.NOTE
            hint = f"{hint}; unless a route that is not known yet says otherwise"
        if meaning.code in _UNREACHABLE and severity is Severity.ERROR:
            self._explained.add(service.name)
        self._tell(service, refusal, about, Fault((), message, hint, meaning.code, severity))

    def without_destination(self, service: Service, key: ServiceKey) -> None:
        """Tell of an entry that nothing is left for."""
        if not self.certainty.complete or service.name in self._explained:
            return
        message = f"{key} gets no destination: none of the backends can serve it"
        refusal = Refusal(f"service {service.name}", "", message, service.spec.provenance)
        hint = "elide = true leaves such an entry out of the kernel"
        fault = Fault((), message, hint, Code.NO_DESTINATION, Severity.WARNING)
        self._tell(service, refusal, key, fault)

    def without_backends(self, service: Service) -> None:
        """Tell of a service of which nobody has a backend."""
        if self.certainty.complete:
            refusal = Refusal(f"service {service.name}", "", "", service.spec.provenance)
            message = "has no backends, and there is no source that could bring any"
            hint = "elide = true leaves it out of the kernel until there are some"
            fault = Fault((), message, hint, Code.NO_DESTINATION, Severity.WARNING, on_key=True)
            self._tell(service, refusal, None, fault)

    def failed(self, service: Service, failure: PolicyFailed) -> None:
        """Tell of a policy that raised."""
        cause = failure.__cause__
        message = f"{failure}: {type(cause).__name__}: {cause}"
        refusal = Refusal(f"service {service.name}", "", message, service.spec.provenance)
        fault = Fault((), message, "a bug in the plugin", Code.PLUGIN_FAILED, on_key=True)
        self._tell(service, refusal, None, fault)

    def _tell(
        self, service: Service, refusal: Refusal, about: ServiceKey | str | None, fault: Fault
    ) -> None:
        found = self._found(service, refusal)
        if found is None:
            return
        one, ref = found
        whole = about is None and isinstance(ref, ServiceRef)
        fault = replace(fault, at=one.place(ref, about), on_key=whole)
        problem = one.document.problem(fault)
        # One frontend may ask for several entries; what a policy says is not known to be alike.
        words = problem.message if fault.code == Code.LEFT_OUT else ""
        key = (problem.file, problem.line, problem.column, problem.code, words)
        if key not in self._told:
            self._told.add(key)
            self.problems.append(problem)

    def _found(self, service: Service, refusal: Refusal) -> tuple[Foretold, Ref] | None:
        subject = refusal.subject
        for family in Family:
            # The policy of routes splits a backend whose families go different ways.
            subject = subject.removesuffix(f"/{family}")
        return (
            self.known.place(subject, refusal.provenance)
            or self.known.place(f"service {service.name}", refusal.provenance)
            or self._any_backend(service)
        )

    def _any_backend(self, service: Service) -> tuple[Foretold, Ref] | None:
        backends: Iterator[Backend] = iter(service.backends.values())
        first = next(backends, None)
        if first is None:
            return None
        return self.known.place(f"service {service.name} backend {first.id}", None)

    def _see(self, subject: str, about: ServiceKey | str | None) -> str:
        found = self.known.place(subject, None)
        if found is None:
            return ""
        one, ref = found
        line, _ = one.document.place(one.place(ref, about))
        return f"see {one.document.name}:{line}"
