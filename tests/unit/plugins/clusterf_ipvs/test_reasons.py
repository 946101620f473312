"""Errnos in words, by operation."""

from __future__ import annotations

import errno
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from clusterf.model.operation import (
    AddDestination,
    AddService,
    DeleteDestination,
    DeleteService,
    EditDestination,
    EditService,
)
from clusterf.model.table import Destination, DestinationKey, Method, Tunnel, TunnelType
from clusterf_ipvs.kernel import UNKNOWN
from clusterf_ipvs.reasons import explain, follows, foreign
from tests.strategies import destination, entry, ip, target, tcp

if TYPE_CHECKING:
    from clusterf.model.operation import KernelOperation

WEB = tcp()
SIX = DestinationKey(ip("2001:db8::1"), 80)
ADD = AddDestination(WEB, target(), destination())
GUE = Destination(1, Method.TUNNEL, tunnel=Tunnel(TunnelType.GUE))
MIXED = Destination(1, Method.TUNNEL, tunnel=Tunnel())


@pytest.mark.parametrize(
    ("operation", "code", "words", "retry"),
    [
        (AddService(WEB, entry(scheduler="mh")), "ENOENT", "scheduler mh is not available", True),
        (EditService(WEB, entry(scheduler="sh")), "ENOENT", "scheduler sh is not available", True),
        (AddService(WEB, entry()), "EINVAL", "refuses its settings", False),
        (AddService(WEB, entry()), "EPERM", "does not permit", True),
        (AddService(WEB, entry()), "EAFNOSUPPORT", "address family", False),
        (AddService(WEB, entry()), "EEXIST", "somebody else", True),
        (EditDestination(WEB, target(), destination()), "ENOENT", "vanished", True),
        (EditDestination(WEB, target(), destination()), "ESRCH", "virtual service vanished", True),
        (ADD, "EINVAL", "unicast route", True),
        (ADD, "ERANGE", "weight is out of range", False),
        (ADD, "ENOMEM", "no memory", True),
        (ADD, "EEXIST", "somebody else", True),
        (ADD, "EIO", "input/output error", True),
        (
            AddDestination(WEB, target(), destination(upper_threshold=1, lower_threshold=2)),
            "ERANGE",
            "lower threshold",
            False,
        ),
        (AddDestination(WEB, SIX, destination()), "EINVAL", "only a tunnel", False),
        (AddDestination(WEB, SIX, MIXED), "EINVAL", "sync daemon", True),
        (AddDestination(WEB, target(), GUE), "EINVAL", "gue tunnel needs a port", False),
        (DeleteDestination(WEB, target()), "EPERM", "does not permit", True),
        (DeleteService(WEB), "EIO", "input/output error", True),
    ],
)
def test_an_errno_means_what_its_operation_makes_of_it(
    operation: KernelOperation,
    code: str,
    words: str,
    retry: bool,  # noqa: FBT001 - a column of the table above
) -> None:
    reason = explain(operation, getattr(errno, code))
    assert words in reason.error
    assert reason.error.endswith(f"({code})")
    assert reason.retry is retry


def test_the_object_comes_first() -> None:
    error = explain(ADD, errno.ENOMEM).error
    assert error.startswith("destination 198.51.100.1:8080 of tcp 192.0.2.1:80: ")
    error = explain(DeleteService(WEB), errno.ENOMEM).error
    assert error.startswith("virtual service tcp 192.0.2.1:80: ")


def test_a_lost_answer_and_an_unheard_errno_have_words_too() -> None:
    assert explain(ADD, UNKNOWN).error.endswith("(no answer)")
    assert explain(ADD, 9999).error.endswith("(errno 9999)")


def test_too_many_destinations_for_mh() -> None:
    many = {target(1, port): destination() for port in range(1, 4095)}
    service = replace(entry(scheduler="mh"), destinations=many)
    reason = explain(AddService(WEB, service), errno.EINVAL)
    assert "at most 4093 destinations" in reason.error
    assert not reason.retry


def test_a_destination_tells_why_its_service_is_not_there() -> None:
    reason = explain(AddService(WEB, entry(scheduler="mh")), errno.ENOENT)
    followed = follows(ADD, reason)
    assert followed.error == (
        "destination 198.51.100.1:8080 of tcp 192.0.2.1:80: its virtual service could not be made:"
        " scheduler mh is not available (ENOENT)"
    )
    assert followed.hint == reason.hint


def test_the_service_of_ipv6_is_told_whole() -> None:
    """Its key has colons; the reason must not be cut at one of them."""
    six = tcp("2001:db8::1")
    reason = explain(AddService(six, entry(scheduler="mh")), errno.ENOENT)
    followed = follows(AddDestination(six, SIX, destination()), reason)
    assert followed.error.endswith("could not be made: scheduler mh is not available (ENOENT)")


def test_the_foreign_is_not_tried_again() -> None:
    assert not foreign(ADD).retry
