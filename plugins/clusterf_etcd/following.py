"""When to list and watch again at once, and when to leave it to the engine's back-off. Pure."""

from __future__ import annotations

from clusterf_etcd.failure import Compacted, EtcdError, FutureRevision, WatchEnded

_SHORT = 5.0
"""Seconds. A watch that ends sooner is a failure: to list at once would go in circles."""


def at_once(failure: EtcdError, lasted: float) -> bool:
    """Whether a watch that lasted so many seconds is followed by a new list at once."""
    if isinstance(failure, Compacted):
        # We were slow or away. The list is newer than what was compacted.
        return True
    return isinstance(failure, (WatchEnded, FutureRevision)) and lasted >= _SHORT
