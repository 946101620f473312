from __future__ import annotations

import pytest

from clusterf_etcd.failure import (
    Compacted,
    EtcdError,
    EtcdRefused,
    EtcdUnavailable,
    FutureRevision,
    PermissionDenied,
    WatchEnded,
)
from clusterf_etcd.following import at_once


@pytest.mark.parametrize(
    ("failure", "lasted", "expected"),
    [
        (Compacted("c"), 0.0, True),
        (WatchEnded("w"), 60.0, True),
        (FutureRevision("f"), 60.0, True),
        (WatchEnded("w"), 0.1, False),
        (FutureRevision("f"), 0.1, False),
        (EtcdUnavailable("u"), 60.0, False),
        (EtcdRefused("r"), 60.0, False),
        (PermissionDenied("p"), 60.0, False),
    ],
    ids=str,
)
def test_what_is_repeated_at_once(failure: EtcdError, lasted: float, expected: bool) -> None:  # noqa: FBT001 - a table
    assert at_once(failure, lasted) is expected
