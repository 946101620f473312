"""A file against the rest of the configuration, where the pipeline has nothing to say of it. Pure.

Thresholds are the kernel's to refuse, and routes that no policy asks for are nobody's.
"""

from __future__ import annotations

from collections.abc import Iterator

from clusterf.model.problem import Severity
from clusterf.plugin import Code, Configured, Fault
from clusterf_static.part import Part, either
from clusterf_static.records import Section


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


def _crossed(upper: int, lower: int) -> Fault:
    return Fault(
        (), f"the lower threshold, {lower}, is above the upper one, {upper}", code=Code.THRESHOLDS
    )
