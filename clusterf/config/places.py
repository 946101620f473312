"""Where things are when the configuration does not say.

It imports next to nothing, because commands that talk to the daemon start with it.
"""

from __future__ import annotations

from pathlib import Path

CONTROL = Path("/run/clusterf/control.sock")
STATE = Path("/var/lib/clusterf")
