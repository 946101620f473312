"""Codes of the world around: what `clusterf check` finds unless it is told ``--offline``."""

from __future__ import annotations

from clusterf.config.explanations.explanation import Explanation
from clusterf.model.problem import Code

_FAR = """from clusterf.plugin import OutputType, OutputUnavailable, Settings, hookimpl
{imports}
CLUSTERF_API = "1.0"


class Far:
    async def probe(self):
        {probe}


@hookimpl
def clusterf_register_outputs():
    far = OutputType(name="far", settings=Settings, create=lambda *_: Far(), summary="far")
    return [far]
"""
_CONFIGURATION = (
    '[clusterf]\nmanaged = ["192.0.2.0/24"]\nplugin_dirs = ["plugins"]\n\n'
    '[outputs.far]\ntype = "far"\n'
)

EXPLANATIONS = (
    Explanation(
        code=Code.PROBE_FINDING,
        what="An instance has looked at its world, and something in it is missing or not as it"
        " should be.",
        why="A module, a sysctl, a capability, an engine that does not answer: the configuration"
        " is right and will not work on this host. What only makes things worse is a warning.",
        example='[sources.engine]\ntype = "docker"\nhost = "unix:///nowhere/docker.sock"\n',
        remedy="Do what the hint says: it is a command where there is one. `clusterf doctor` looks"
        " at the whole host. `--offline` leaves this tier out.",
    ),
    Explanation(
        code=Code.PROBE_UNAVAILABLE,
        what="The world of an instance is away.",
        why='An error with `startup_error = "fail"`, for `clusterf run` would end; else a warning,'
        " for it would wait.",
        example=_CONFIGURATION,
        files={
            "plugins/far.py": _FAR.format(
                imports="",
                probe='raise OutputUnavailable("the far end is asleep", hint="wake it")',
            )
        },
        remedy='Bring it back, or let the instance wait: `startup_error = "retry"`.',
    ),
    Explanation(
        code=Code.PROBE_TIMEOUT,
        what="The world of an instance gave no answer within 5 seconds.",
        why="It is overloaded, or something on the way drops packets. Severe as C402 is.",
        example=_CONFIGURATION,
        files={
            "plugins/far.py": _FAR.replace("OutputUnavailable, ", "").format(
                imports="import trio\n", probe="await trio.sleep_forever()"
            )
        },
        remedy="Look at the address, and at the firewalls between here and there.",
    ),
)
