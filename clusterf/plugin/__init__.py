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

from clusterf.model.errors import (
    ClusterfError,
    OutputNotPermitted,
    OutputUnavailable,
    PluginLoadError,
    SourceUnavailable,
)
from clusterf.model.problem import Code, Problem, Severity
from clusterf.pipeline.drain import DrainRules, Drains
from clusterf.pipeline.plan import plan_table
from clusterf.plugin.api import (
    API_VERSION,
    Context,
    OutputType,
    Policy,
    PolicyType,
    Probe,
    ProbeResult,
    Publisher,
    Source,
    SourceType,
)
from clusterf.plugin.checking import Configured, ConfiguredInstance, Foretold, place_of
from clusterf.plugin.commands import Command, Invocation, Line
from clusterf.plugin.document import Document, DocumentError, Fault, dotted
from clusterf.plugin.examining import Examination, Finding, Verdict
from clusterf.plugin.faults import did_you_mean, faults_of, raise_faults, shown, value_error
from clusterf.plugin.forwarding import (
    FlagNames,
    IPv4,
    IPv6,
    MethodName,
    SchedulerName,
    Sticky,
    ThresholdNumber,
    TunnelSettings,
    forwarding_faults,
    misfits,
)
from clusterf.plugin.hookspecs import hookimpl
from clusterf.plugin.output import (
    Again,
    Attending,
    Closing,
    DataPlane,
    Desired,
    Output,
    OutputReport,
    Statements,
    Surveying,
    Withdrawing,
)
from clusterf.plugin.overrides import BackendOverrides, ServiceOverrides
from clusterf.plugin.patterns import Among, SourcePatterns, unpicking
from clusterf.plugin.routing import never_holding, route_faults
from clusterf.plugin.settings import (
    Duration,
    IPAddress,
    IPNetwork,
    PathName,
    PortNumber,
    Secret,
    Settings,
    TLSSettings,
    WeightNumber,
    schema_type,
)

__all__ = [
    "API_VERSION",
    "Again",
    "Among",
    "Attending",
    "BackendOverrides",
    "Closing",
    "ClusterfError",
    "Code",
    "Command",
    "Configured",
    "ConfiguredInstance",
    "Context",
    "DataPlane",
    "Desired",
    "Document",
    "DocumentError",
    "DrainRules",
    "Drains",
    "Duration",
    "Examination",
    "Fault",
    "Finding",
    "FlagNames",
    "Foretold",
    "IPAddress",
    "IPNetwork",
    "IPv4",
    "IPv6",
    "Invocation",
    "Line",
    "MethodName",
    "Output",
    "OutputNotPermitted",
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
    "Problem",
    "Publisher",
    "SchedulerName",
    "Secret",
    "ServiceOverrides",
    "Settings",
    "Severity",
    "Source",
    "SourcePatterns",
    "SourceType",
    "SourceUnavailable",
    "Statements",
    "Sticky",
    "Surveying",
    "TLSSettings",
    "ThresholdNumber",
    "TunnelSettings",
    "Verdict",
    "WeightNumber",
    "Withdrawing",
    "did_you_mean",
    "dotted",
    "faults_of",
    "forwarding_faults",
    "hookimpl",
    "misfits",
    "never_holding",
    "place_of",
    "plan_table",
    "raise_faults",
    "route_faults",
    "schema_type",
    "shown",
    "unpicking",
    "value_error",
]
