"""The public API for plugin authors.

A plugin imports from ``clusterf.plugin`` and ``clusterf.model`` and nothing else of the core.
The smallest plugin is a module with one hook::

    from clusterf.plugin import PolicyType, Settings, hookimpl

    CLUSTERF_API = "1.0"

    class HalfSettings(Settings):
        label: str = "half"

    class Half:
        def __init__(self, settings, context): self.label = settings.label
        def apply(self, service, facts): ...

    @hookimpl
    def clusterf_register_policies():
        return [PolicyType(name="half", settings=HalfSettings, create=Half, summary="...")]
"""

from clusterf.pipeline.drain import DrainRules, Drains
from clusterf.pipeline.plan import plan_table
from clusterf.plugin.api import (
    API_VERSION,
    Closing,
    Context,
    DataPlane,
    Desired,
    Output,
    OutputReport,
    OutputType,
    Policy,
    PolicyType,
    Probe,
    ProbeResult,
    Publisher,
    Severity,
    Source,
    SourceType,
)
from clusterf.plugin.errors import (
    ClusterfError,
    OutputUnavailable,
    PluginLoadError,
    SourceUnavailable,
)
from clusterf.plugin.hookspecs import hookimpl
from clusterf.plugin.settings import (
    Duration,
    IPAddress,
    IPNetwork,
    PathName,
    PortNumber,
    Settings,
    WeightNumber,
)

__all__ = [
    "API_VERSION",
    "Closing",
    "ClusterfError",
    "Context",
    "DataPlane",
    "Desired",
    "DrainRules",
    "Drains",
    "Duration",
    "IPAddress",
    "IPNetwork",
    "Output",
    "OutputReport",
    "OutputType",
    "OutputUnavailable",
    "PathName",
    "PluginLoadError",
    "Policy",
    "PolicyType",
    "PortNumber",
    "Probe",
    "ProbeResult",
    "Publisher",
    "Settings",
    "Severity",
    "Source",
    "SourceType",
    "SourceUnavailable",
    "WeightNumber",
    "hookimpl",
    "plan_table",
]
