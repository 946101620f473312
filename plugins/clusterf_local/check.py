"""``clusterf check`` for this plugin: a wrong name or order leaves out every backend there is."""

from __future__ import annotations

from collections.abc import Iterator

from clusterf.plugin import (
    Among,
    Code,
    Configured,
    ConfiguredInstance,
    Document,
    Fault,
    Problem,
    place_of,
    shown,
    unpicking,
)
from clusterf_local.settings import LocalSettings


def check_policies(configuration: Configured, document: Document) -> Iterator[Problem]:
    """Patterns of ``sources`` that pick none, and what stands before or behind in vain."""
    behind = list(configuration.policies)
    for policy in configuration.policies:
        behind.remove(policy)
        if not isinstance(policy.settings, LocalSettings):
            continue
        at = place_of(policy)
        faults = [
            *(
                fault.below((*at, "sources"))
                for fault in unpicking(policy.settings.sources, document)
            ),
            *(fault.below((*at, "sources")) for fault in _known_before(policy, configuration)),
            *(fault.below(at) for fault in _overruled(behind)),
            *_elided(policy.settings, configuration, document),
        ]
        yield from document.problems(faults)


def _known_before(policy: ConfiguredInstance, configuration: Configured) -> Iterator[Fault]:
    """Sources of this host behind one of the cluster, which knows the same backends.

    An etcd that leaves out what this host has published knows none of them.
    """
    settings = policy.settings
    if not isinstance(settings, LocalSettings) or settings.prefixes:
        return
    cluster = None
    for source in configuration.sources.values():
        if source.type.name == "etcd" and getattr(source.settings, "agent", None) is None:
            cluster = cluster or source.name
        for index, pattern in enumerate(settings.sources):
            if cluster not in {None, source.name} and Among([pattern])(source.name):
                message = f"{shown(pattern)} picks {source.name}, which stands behind {cluster}"
                hint = (
                    "what both know counts as the first one's, and is left out: "
                    f"put [{source.name}] before [{cluster}]"
                )
                yield Fault((index,), message, hint, Code.OWN_BACKENDS).as_warning()


def _overruled(behind: list[ConfiguredInstance]) -> Iterator[Fault]:
    for other in behind:
        if other.type.name == "routes":
            message = f"stands before {other.name}, whose routes then count here too"
            hint = "put type local behind type routes"
            yield Fault((), message, hint, Code.OWN_BACKENDS).as_warning()


def _elided(
    settings: LocalSettings, configuration: Configured, document: Document
) -> Iterator[Fault]:
    """Services of clusterf.toml whose mark finds another host's backends once it is left out."""
    services = document.data.get("services")
    for name, table in services.items() if isinstance(services, dict) else ():
        if settings.others == "drop" or not settings.concerns(name) or not _marked(table):
            continue
        if table.get("elide", configuration.defaults.elide) is True:
            yield Fault(
                ("services", name, "elide") if "elide" in table else ("services", name),
                'has a fwmark, and with others = "keep" packets that carry it would find the'
                " entry of the VIP while this one is left out",
                "set elide = false",
                Code.CONTRADICTION,
            ).as_warning()


def _marked(table: object) -> bool:
    if not isinstance(table, dict):
        return False
    several = table.get("frontends")
    frontends = [table.get("frontend"), *(several if isinstance(several, list) else ())]
    return any(isinstance(one, dict) and "fwmark" in one for one in frontends)
