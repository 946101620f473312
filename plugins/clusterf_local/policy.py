"""The policy: which backends are of this host, how those are reached, and which are left out."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from clusterf.model.address import PrefixTable
from clusterf.model.provenance import Provenance, Refusal
from clusterf.model.service import Backend, Facts, Service
from clusterf.model.table import Method
from clusterf.plugin import Among, Context
from clusterf_local.settings import LocalSettings


@dataclass(slots=True)
class _Tally:
    """Backends that are not what they were: of other hosts, and with one address here."""

    elsewhere: int = 0
    halved: int = 0


class LocalPolicy:
    """Implements `Policy`. Pure: it keeps nothing but its settings, ready to be asked."""

    def __init__(self, settings: LocalSettings, context: Context) -> None:
        self._provenance = Provenance(context.name)
        self._of_this_host = Among(settings.sources)
        self._prefixes: PrefixTable[Literal[True]] = PrefixTable()
        for prefix in settings.prefixes:
            self._prefixes.add(prefix, value=True)
        self._method = settings.method
        self._drops = settings.others == "drop"
        self._concerns = settings.concerns

    def apply(self, service: Service, facts: Facts) -> Service:
        """Give each backend of this host its method; the same object where nothing changes."""
        if not self._concerns(service.name):
            return service
        default = service.spec.method or facts.method
        frontends = service.spec.frontends or ()
        marked = any(one.fwmark is not None for one in frontends)
        drops = self._drops or (marked and not any(one.ipv4 or one.ipv6 for one in frontends))
        tally = _Tally()
        backends: dict[str, Backend] = {}
        for identity, backend in service.backends.items():
            here = self._here(backend)
            if here is None:
                tally.elsewhere += 1
                if not drops:
                    # By a mark come packets that another director has sent here already.
                    backends[identity] = backend._replace(only_vips=True) if marked else backend
                continue
            if here is not backend and _other_is_asked_for(service, here):
                tally.halved += 1
            backends[identity] = self._reached(here, default)
        refusals = tuple(self._refusals(service, tally, drops=drops))
        if not refusals and all(
            before is after
            for before, after in zip(service.backends.values(), backends.values(), strict=True)
        ):
            return service
        return service.with_backends(backends, *refusals)

    def _here(self, backend: Backend) -> Backend | None:
        """The backend as far as it is of this host: with both addresses, with one, or None."""
        if self._of_this_host(backend.provenance.source):
            return backend
        ipv4, ipv6 = backend.ipv4, backend.ipv6
        here4 = None if ipv4 is None or self._prefixes.longest(ipv4) is None else ipv4
        here6 = None if ipv6 is None or self._prefixes.longest(ipv6) is None else ipv6
        if here4 is None and here6 is None:
            return None
        if here4 is ipv4 and here6 is ipv6:
            return backend
        return backend._replace(ipv4=here4, ipv6=here6)

    def _reached(self, backend: Backend, default: Method) -> Backend:
        """At its own address and port by our method. ``default`` is that of who names none."""
        if (
            (backend.method or default) is self._method
            and backend.gateway is None
            and backend.tunnel is None
        ):
            return backend
        return backend._replace(method=self._method, gateway=None, tunnel=None)

    def _refusals(self, service: Service, tally: _Tally, *, drops: bool) -> Iterator[Refusal]:
        """By number and not by name: of a large cluster nearly everything is elsewhere."""
        subject = f"service {service.name}"
        if tally.elsewhere and drops:
            detail = f"{tally.elsewhere} of its backends are of other hosts and left out"
            yield Refusal(subject, "not_local", detail, self._provenance)
        if tally.halved:
            yield Refusal(
                subject,
                "half_local",
                f"{tally.halved} of its backends have only one address in the prefixes of this "
                "host, and the other is not used",
                self._provenance,
                "prefixes names those of both families",
            )


def _other_is_asked_for(service: Service, half: Backend) -> bool:
    """Whether clients come by the family whose address a backend has lost."""
    return any(half.address(family) is None for family in service.spec.families)
