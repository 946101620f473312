"""Routes to the engine's networks: lists of networks in, routes and refusals out. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase

from clusterf.model.address import Address, Family, Network
from clusterf.model.provenance import Provenance, Refusal
from clusterf.model.service import Route
from clusterf.model.table import Method
from clusterf_docker import network as networks
from clusterf_docker.answer import Unreadable
from clusterf_docker.changes import Changes
from clusterf_docker.network import DockerNetwork
from clusterf_docker.settings import RoutesTable

_CARRIES = "bridge"
"""The one driver whose subnets are of one host alone, which reaches the containers in them."""


@dataclass(frozen=True, slots=True)
class NetworkVerdict:
    """What one network contributes. Refusals by a key that is unique within the network."""

    records: Sequence[Route] = ()
    refusals: Mapping[str, Refusal] = field(default_factory=dict)


class Routes:
    """All networks of an engine as of its last list."""

    def __init__(self, settings: RoutesTable, source: str) -> None:
        self._settings = settings
        self._source = source
        self._known: dict[str, NetworkVerdict] = {}
        self._changes = Changes()

    def listed(self, answers: Mapping[str, object]) -> None:
        """Take a list of all networks, by their ids: what is not in it is gone."""
        before, self._known = self._known, {}
        for identifier, answer in answers.items():
            try:
                said = self._decide(networks.read(answer))
            except Unreadable as error:
                detail = f"the engine's description is unreadable: {error}"
                said = NetworkVerdict(
                    before.get(identifier, NetworkVerdict()).records,
                    {"": self._refusal(identifier, identifier[:12], "unreadable", detail)},
                )
            self._known[identifier] = said
        nothing = NetworkVerdict()
        for identifier in before.keys() | self._known.keys():
            self._changes.note(
                f"network {identifier}",
                before.get(identifier, nothing),
                self._known.get(identifier, nothing),
            )

    def changes(self) -> Changes:
        """What changed since the last call."""
        changes, self._changes = self._changes, Changes()
        return changes

    def records(self) -> Collection[Route]:
        """All routes there are."""
        return [one for said in self._known.values() for one in said.records]

    # --- deciding -----------------------------------------------------------------------------

    def _decide(self, network: DockerNetwork) -> NetworkVerdict:
        asked = self._settings.networks
        if network.template or not network.subnets:
            return NetworkVerdict()
        if asked is not None and not any(fnmatchcase(network.name, one) for one in asked):
            return NetworkVerdict()
        if reason := _unreachable(network):
            if asked is None:
                # Nobody has asked for it.
                return NetworkVerdict()
            return NetworkVerdict((), {"": self._refused(network, "not_routable", reason)})
        routes = []
        refusals = {}
        for name, prefix in names(network):
            gateway = self._gateway(prefix.family)
            if gateway is None:
                setting = "gateway4" if prefix.family is Family.INET else "gateway6"
                refusals[name] = self._refused(
                    network,
                    "no_gateway",
                    f"its subnet {prefix} is not published: it has no gateway",
                    f"set {setting} in routes",
                )
                continue
            routes.append(
                Route(
                    name=name,
                    provenance=self._provenance(network.id, str(network)),
                    prefix=prefix,
                    method=self._settings.method,
                    gateway=gateway,
                    tunnel=self._settings.tunnel,
                )
            )
        return NetworkVerdict(routes, refusals)

    def _gateway(self, family: Family) -> Address | None:
        """The gateway of a family; through a tunnel the other one serves as well."""
        four, six = self._settings.gateway4, self._settings.gateway6
        own, other = (four, six) if family is Family.INET else (six, four)
        if own is None and self._settings.method is Method.TUNNEL:
            return other
        return own

    def _refused(self, network: DockerNetwork, reason: str, detail: str, hint: str = "") -> Refusal:
        return self._refusal(network.id, str(network), reason, detail, hint)

    def _refusal(
        self, identifier: str, name: str, reason: str, detail: str, hint: str = ""
    ) -> Refusal:
        provenance = self._provenance(identifier, name)
        return Refusal(f"network {name}", reason, detail, provenance, hint)

    def _provenance(self, identifier: str, name: str) -> Provenance:
        return Provenance(self._source, f"network {name} ({identifier[:12]})")


def names(network: DockerNetwork) -> Iterator[tuple[str, Network]]:
    """Names of the routes to a network, and their prefixes: the same ones whoever lists them.

    The original clusterf has one route for a network, named by its id. Here that is the first
    IPv4 subnet; the others have a suffix.
    """
    for family in Family:
        start = network.id if family is Family.INET else f"{network.id}-{family}"
        own = sorted({prefix for prefix in network.subnets if prefix.family is family})
        for number, prefix in enumerate(own, 1):
            yield start if number == 1 else f"{start}-{number}", prefix


def _unreachable(network: DockerNetwork) -> str:
    """Why containers in a network are not reached through this host; empty: they are."""
    if network.driver != _CARRIES or network.scope not in {"", "local"}:
        return f"is not published: {network.driver or 'no'} driver, whose subnets other hosts share"
    if network.internal:
        return "is not published: it is internal, its containers cannot answer clients"
    return ""
