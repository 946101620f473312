"""How these commands end: the exit code for what went wrong."""

from __future__ import annotations

from clusterf.model.errors import ClusterfError, Unavailable
from clusterf_etcd.failure import EtcdError, PermissionDenied, Unauthenticated

_BAD_PASSWORD = "authentication failed"  # noqa: S105 - etcd's words


class Refused(ClusterfError):
    """What was asked for is not done, and will not be."""

    exit_code = 1


class Misused(ClusterfError):
    """The command line contradicts itself."""

    exit_code = 2


class Unfinished(ClusterfError):
    """Not all was done; once more may help."""

    exit_code = 75  # EX_TEMPFAIL


class NotPermitted(ClusterfError):
    """etcd does not let this user do that."""

    exit_code = 77  # EX_NOPERM


class NotConfigured(ClusterfError):
    """The configuration does not say which etcd."""

    exit_code = 78  # EX_CONFIG


def ended_by(failure: EtcdError) -> ClusterfError:
    """The error that ends a command for one of the gateway's."""
    message, hint = str(failure.args[0]), failure.hint
    if isinstance(failure, (PermissionDenied, Unauthenticated)) or _BAD_PASSWORD in message:
        return NotPermitted(message, hint=hint)
    return Unavailable(message, hint=hint)
