"""``clusterf check`` for this plugin: sources against each other and against the policies."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fnmatch import fnmatchcase
from itertools import combinations

from clusterf.plugin import (
    Among,
    Code,
    Configured,
    ConfiguredInstance,
    Document,
    Fault,
    Problem,
    did_you_mean,
    place_of,
    shown,
)
from clusterf_docker.settings import DockerSettings


def check_sources(configuration: Configured, document: Document) -> Iterator[Problem]:
    """Containers that come twice, and those that this host would send to itself."""
    sources = [
        (one, one.settings)
        for one in configuration.sources.values()
        if isinstance(one.settings, DockerSettings)
    ]
    for (first, its), (second, other) in combinations(sources, 2):
        if its.host == other.host and _in_common(its.services, other.services):
            message = f"is of the engine of {first.name}, {its.host}: each container comes twice"
            hint = "leave one out, or tell them apart by services"
            fault = Fault(place_of(second), message, hint, Code.CONTRADICTION)
            yield document.problem(fault.as_warning())
    for source, settings in sources:
        yield from document.problems(
            fault.below((*place_of(source), "services"))
            for fault in _joining_none(settings.services or (), document)
        )
        if settings.routes is not None and settings.host.startswith("unix:"):
            for policy in _sent_back_by(source, configuration):
                message = (
                    f"lead to this host, and {policy.name} follows them here too: "
                    "packets for its containers would be sent to itself"
                )
                hint = "add a policy of type local behind it, or give it sources = []"
                at = (*place_of(source), "routes")
                fault = Fault(at, message, hint, Code.OWN_BACKENDS, on_key=True)
                yield document.problem(fault.as_warning())


def _joining_none(patterns: Sequence[str], document: Document) -> Iterator[Fault]:
    """Patterns that pick no service, where all services stand in clusterf.toml."""
    services = _services(document)
    for index, pattern in enumerate(patterns):
        if services and not any(fnmatchcase(name, pattern) for name in services):
            message = f"{shown(pattern)} picks no service"
            hint = did_you_mean(pattern, services)
            yield Fault((index,), message, hint, Code.UNKNOWN_CHOICE).as_warning()


def _services(document: Document) -> set[str]:
    """Names of all services that there are; none if another source may bring more."""
    sources = document.data.get("sources")
    tables = list(sources.values()) if isinstance(sources, dict) else []
    for table in tables:
        kind = table.get("type") if isinstance(table, dict) else None
        if kind not in {"docker", "static"} or "path" in table:
            return set()
    inline = [one.get("services") for one in tables if one["type"] == "static"]
    named = [document.data.get("services"), *inline]
    return {name for one in named if isinstance(one, dict) for name in one}


def _in_common(services: list[str] | None, others: list[str] | None) -> bool:
    """Whether one service may be in both, as far as equal patterns tell."""
    return services is None or others is None or not set(services).isdisjoint(others)


def _sent_back_by(
    source: ConfiguredInstance, configuration: Configured
) -> Iterator[ConfiguredInstance]:
    """Policies of type routes that count this source, with nothing behind that takes it back."""
    if all(getattr(one.type, "publishes", False) for one in configuration.outputs.values()):
        return
    for index, policy in enumerate(configuration.policies):
        counting = Among(getattr(policy.settings, "sources", None))
        behind = {one.type.name for one in configuration.policies[index:]}
        if policy.type.name == "routes" and counting(source.name) and "local" not in behind:
            yield policy
