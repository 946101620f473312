"""``clusterf check`` for this plugin: what is published, and instances that share one tree."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

from clusterf.model.problem import Severity
from clusterf.plugin import (
    Among,
    Code,
    Configured,
    ConfiguredInstance,
    Document,
    Fault,
    Problem,
    place_of,
    unpicking,
)
from clusterf_etcd.settings import ConnectionSettings, EtcdOutputSettings, EtcdSourceSettings


def check_instances(configuration: Configured, document: Document) -> Iterator[Problem]:
    """Outputs by themselves, against each other, and against the sources that read their keys."""
    outputs = [
        one
        for one in configuration.outputs.values()
        if isinstance(one.settings, EtcdOutputSettings)
    ]
    for output in outputs:
        yield from document.problems(
            fault.below((*place_of(output), "sources"))
            for fault in _published(output, configuration, document)
        )
        for source in configuration.sources.values():
            if _same_tree(source, output):
                yield from document.problems(_read_back(source, output))
    for first, second in combinations(outputs, 2):
        if _same_tree(first, second) and _agent(first) == _agent(second):
            yield document.problem(
                Fault(
                    place_of(second),
                    f"publishes to the tree of {first.name}, as the same agent",
                    "an agent takes what carries its name for its own: name all sources in one"
                    " output, or give it another prefix or agent",
                    Code.CONTRADICTION,
                )
            )


def _published(
    output: ConfiguredInstance, configuration: Configured, document: Document
) -> Iterator[Fault]:
    settings = output.settings
    if not isinstance(settings, EtcdOutputSettings):
        return
    yield from unpicking(settings.sources, document)
    for index, pattern in enumerate(settings.sources):
        for source in filter(_is_source, configuration.sources.values()):
            if Among([pattern])(source.name):
                message = f"picks {source.name}, and what comes from etcd is not published to it"
                hint = 'name the sources of this host, as sources = ["local-docker"]'
                yield Fault((index,), message, hint, Code.CONTRADICTION)


def _is_source(instance: ConfiguredInstance) -> bool:
    return isinstance(instance.settings, EtcdSourceSettings)


def _read_back(source: ConfiguredInstance, output: ConfiguredInstance) -> Iterator[Fault]:
    """A source that reads what an output of the same process writes."""
    reading, writing = source.settings, output.settings
    if not isinstance(reading, EtcdSourceSettings) or not isinstance(writing, EtcdOutputSettings):
        return
    if reading.agent and writing.agent and reading.agent != writing.agent:
        yield Fault(
            (*place_of(source), "agent"),
            f'"{reading.agent}" is not the agent of {output.name}, "{writing.agent}"',
            "what this process has published is left out by its name",
            Code.CONTRADICTION,
            Severity.WARNING,
        )
    if reading.grace < writing.ttl:
        at = (*place_of(source), "grace")
        yield Fault(
            at if "grace" in reading.model_fields_set else (*place_of(output), "ttl"),
            f"the grace of {source.name}, {_seconds(reading.grace)}, is shorter than the ttl"
            f" of {output.name}, {_seconds(writing.ttl)}",
            "after an outage what agents have not published again within the grace is taken away",
            Code.CONTRADICTION,
            Severity.WARNING,
        )


def _same_tree(one: ConfiguredInstance, other: ConfiguredInstance) -> bool:
    """Whether both are below one prefix of one cluster, as far as endpoints tell."""
    mine, its = one.settings, other.settings
    return (
        isinstance(mine, ConnectionSettings)
        and isinstance(its, ConnectionSettings)
        and mine.prefix == its.prefix
        and not set(mine.endpoints).isdisjoint(its.endpoints)
    )


def _seconds(duration: float) -> str:
    return f"{duration:g}s"


def _agent(output: ConfiguredInstance) -> str | None:
    return getattr(output.settings, "agent", None)
