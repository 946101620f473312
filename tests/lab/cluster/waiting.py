"""What these tests wait for: an outage that lasts, and the end of what came after it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from tests.lab.cluster.site import Site


def lasts(seconds: float) -> None:
    """Let an outage last. That nothing happens meanwhile has no event to wait for."""
    threading.Event().wait(seconds)


@contextmanager
def wait_settled(site: Site) -> Iterator[None]:
    """Wait for the end of the grace that begins when the outage in this block is over.

    What had vanished while etcd was away and has not come back leaves at that moment.
    """
    yield
    ended = "sources.cluster: settled dropped="
    site.director.wait_for_log(ended, times=site.director.log.count(ended) + 1)
