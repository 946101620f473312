from __future__ import annotations

import pytest

from clusterf_etcd.commands.ending import ended_by
from clusterf_etcd.failure import (
    Compacted,
    EtcdError,
    EtcdRefused,
    EtcdUnavailable,
    PermissionDenied,
    Unauthenticated,
    meaning,
)


@pytest.mark.parametrize(
    ("failure", "code"),
    [
        (EtcdUnavailable("x"), 69),
        (EtcdRefused("x"), 69),
        (Compacted("x"), 69),
        (PermissionDenied("x"), 77),
        (Unauthenticated("x"), 77),
        (meaning("e", 7, "etcdserver: permission denied"), 77),
        (meaning("e", 3, "etcdserver: authentication failed, invalid user ID or password"), 77),
        (meaning("e", 3, "etcdserver: user name is empty"), 77),
        (meaning("e", 14, "etcdserver: no leader"), 69),
    ],
)
def test_the_exit_code_says_what_went_wrong(failure: EtcdError, code: int) -> None:
    assert ended_by(failure).exit_code == code


def test_message_and_hint_are_told() -> None:
    assert str(ended_by(EtcdRefused("e: no", hint="ask"))) == "e: no (hint: ask)"
