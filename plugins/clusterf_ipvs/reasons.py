"""The kernel's errnos in words: one errno means different things to different operations.

What each one means was read in ip_vs_genl_set_cmd and below (net/netfilter/ipvs/ip_vs_ctl.c) and
is held against a real kernel by tests/conformance.
"""

from __future__ import annotations

import errno
import os
from typing import NamedTuple

from clusterf.model.operation import (
    AddDestination,
    AddService,
    DeleteDestination,
    EditDestination,
    EditService,
    KernelOperation,
)
from clusterf.model.table import Method, TunnelType
from clusterf_ipvs.constants import MH_PLACES
from clusterf_ipvs.kernel import UNKNOWN


class Reason(NamedTuple):
    """Why an operation failed: a sentence, what people can do, whether time alone may help."""

    error: str
    hint: str = ""
    retry: bool = True


def explain(operation: KernelOperation, code: int) -> Reason:
    """Words for the errno with which the kernel refused an operation."""
    what, hint, retry = _explain(operation, code)
    name = "no answer" if code == UNKNOWN else errno.errorcode.get(code, f"errno {code}")
    return Reason(f"{_object(operation)}: {what} ({name})", hint, retry)


def follows(operation: KernelOperation, reason: Reason) -> Reason:
    """Words for a destination whose virtual service could not be made."""
    _, _, why = reason.error.partition(": ")
    return Reason(
        f"{_object(operation)}: its virtual service could not be made: {why}",
        reason.hint,
        reason.retry,
    )


def foreign(operation: KernelOperation) -> Reason:
    """Words for an operation on what is not clusterf's."""
    return Reason(
        f"{_object(operation)}: it is not managed and is left alone",
        "see managed and managed_fwmarks in [clusterf]",
        retry=False,
    )


def unavailable(operation: KernelOperation, error: str, hint: str) -> Reason:
    """Words for an operation that did not reach the kernel."""
    return Reason(f"{_object(operation)}: {error}", hint)


def _object(operation: KernelOperation) -> str:
    if isinstance(operation, AddDestination | EditDestination | DeleteDestination):
        return f"destination {operation.key} of {operation.subject}"
    return f"virtual service {operation.subject}"


def _explain(operation: KernelOperation, code: int) -> Reason:
    known = _ANYWHERE.get(code)
    if known is not None:
        return known
    if isinstance(operation, AddService | EditService):
        return _of_service(operation, code)
    if isinstance(operation, AddDestination | EditDestination):
        return _of_destination(operation, code)
    return Reason(os.strerror(code).lower())


_ANYWHERE = {
    UNKNOWN: Reason("the kernel's answer was lost and it cannot be told what became of it"),
    errno.EPERM: Reason(
        "the kernel does not permit it",
        "run as root, or with CAP_NET_ADMIN in this network namespace",
    ),
    errno.ENOMEM: Reason("the kernel has no memory for it"),
    errno.ENOBUFS: Reason("the kernel has no memory for it"),
    errno.ESRCH: Reason("its virtual service vanished from the kernel meanwhile"),
    errno.EAFNOSUPPORT: Reason(
        "the kernel does not do this address family", "is ipv6 switched off?", retry=False
    ),
    errno.ENOPROTOOPT: Reason("the kernel is unloading ip_vs"),
}


def _of_service(operation: AddService | EditService, code: int) -> Reason:
    service = operation.service
    if code == errno.ENOENT:
        return Reason(
            f"scheduler {service.scheduler} is not available",
            f"modprobe ip_vs_{service.scheduler}, or choose another scheduler",
        )
    if code == errno.EINVAL:
        if service.scheduler == "mh" and len(service.destinations) > MH_PLACES:
            return Reason(f"scheduler mh takes at most {MH_PLACES} destinations", retry=False)
        return Reason("the kernel refuses its settings", "is the netmask valid?", retry=False)
    if code == errno.EEXIST:
        return Reason("somebody else made it meanwhile")
    return Reason(os.strerror(code).lower())


def _of_destination(operation: AddDestination | EditDestination, code: int) -> Reason:
    destination, subject = operation.destination, operation.subject
    if code == errno.ENOENT:
        return Reason("it vanished from the kernel meanwhile")
    if code == errno.EEXIST:
        return Reason("somebody else made it meanwhile")
    if code == errno.ERANGE:
        if destination.lower_threshold > destination.upper_threshold:
            return Reason("its lower threshold is above its upper threshold", retry=False)
        return Reason("its weight is out of range", retry=False)
    if code == errno.EINVAL:
        if operation.key.address.family is not subject.family:
            if destination.method is not Method.TUNNEL:
                return Reason("only a tunnel can forward to another address family", retry=False)
            return Reason(
                "no destination of another address family while the sync daemon runs",
                "ipvsadm --stop-daemon master, or backup",
            )
        tunnel = destination.tunnel
        if tunnel is not None and tunnel.type is TunnelType.GUE and not tunnel.port:
            return Reason("a gue tunnel needs a port", retry=False)
        return Reason(
            "its address is not one that this host has a unicast route to",
            f"ip route get {operation.key.address}",
        )
    return Reason(os.strerror(code).lower())
