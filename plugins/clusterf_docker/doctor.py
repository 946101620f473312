"""What ``clusterf doctor`` finds of Docker on a host that has no configuration yet."""

from __future__ import annotations

from clusterf.plugin import Configured, Context, Examination, Finding, Verdict
from clusterf_docker.settings import DockerSettings
from clusterf_docker.source import DockerSource


def examinations(configuration: Configured | None) -> list[Examination]:
    """The engine at the usual place; those that are configured are asked by their probes."""
    return [Examination(name="docker", examine=examine)] if configuration is None else []


async def examine(
    context: Context,
    settings: DockerSettings = DockerSettings(),  # noqa: B008 - frozen
) -> list[Finding]:
    """Whether it answers. A host without Docker may be a director: that is no error."""
    amiss = [Finding.of(one) for one in await DockerSource(settings, context).probe()]
    if not amiss:
        return [Finding(Verdict.OK, f"the engine answers at {settings.host}")]
    return [Finding(Verdict.WARNING, one.message, one.hint) for one in amiss]
