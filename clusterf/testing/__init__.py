"""Shipped for plugin authors: a source, a policy or an output in a test, treated as by the engine.

Everything here is made of the engine's own parts (board, supervisor, reconciler, reader of the
configuration), so it cannot differ from them. docs/plugins.md shows each in use.

* `settings_from`: settings out of TOML text; what is wrong with it is told as ``check`` tells it.
* `running`: a source at work, under supervision, and a `RecordingPublisher` that hears it.
* `service`, `backend`, `route`: records. `applied`: a policy over them.
* `Director`: an output that is given a table, change by change.
* `InstanceContext`: what an instance is given.
"""

from clusterf.engine.context import InstanceContext
from clusterf.testing.directing import Director
from clusterf.testing.policies import applied
from clusterf.testing.publishing import RecordingPublisher
from clusterf.testing.records import backend, route, service
from clusterf.testing.settings import BadSettings, settings_from
from clusterf.testing.sources import running

__all__ = [
    "BadSettings",
    "Director",
    "InstanceContext",
    "RecordingPublisher",
    "applied",
    "backend",
    "route",
    "running",
    "service",
    "settings_from",
]
