"""A policy over records: merged as the reconciler merges them, and asked twice."""

from __future__ import annotations

from clusterf.engine.board import Board
from clusterf.model.provenance import Refusal
from clusterf.model.service import Facts, Record, Service
from clusterf.model.table import Method
from clusterf.pipeline.merge import merge
from clusterf.plugin.api import Policy
from clusterf.testing.records import SOURCE


def applied(
    policy: Policy, *records: Record, method: Method = Method.MASQ, now: float = 0.0
) -> Service | Refusal:
    """What a policy makes of one service, which the records are about; routes may be among them.

    ``method`` is the default one of the configuration, ``now`` the engine's clock. What the policy
    raises comes out as it is.

    Raises:
        ValueError: the records are not about one service.
        AssertionError: the policy is not pure, or what it returns is no service and no refusal.
    """
    board = Board()
    board.arrange([SOURCE])
    board.publisher(SOURCE, lambda: None).replace(records)
    names = sorted(board.services())
    if len(names) != 1:
        raise ValueError(f"records of one service are needed, not of {names}")
    service = merge(names[0], board.contributions(names[0]))
    facts = Facts(routes=board.routes(), method=method, now=now)
    if service is None:
        raise ValueError(f"nothing is known of {names[0]}")
    first, second = policy.apply(service, facts), policy.apply(service, facts)
    if not isinstance(first, (Service, Refusal)):
        raise AssertionError(f"apply returned {type(first).__name__}, not a Service or a Refusal")  # noqa: TRY004 - the author's test has failed
    if first != second:
        raise AssertionError(f"not pure: of the same service it made {first} and then {second}")
    return first
