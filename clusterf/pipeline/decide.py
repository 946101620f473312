"""Decide: run the policies over one service, in the order of the configuration."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple, Protocol

from clusterf.model.provenance import Refusal
from clusterf.model.service import Facts, Service


class _Policy(Protocol):
    def apply(self, service: Service, facts: Facts) -> Service | Refusal: ...


class NamedPolicy(NamedTuple):
    """A policy under the name of its instance."""

    name: str
    policy: _Policy


class PolicyFailed(Exception):
    """A policy raised: the service keeps its place in the table, and the policy is reported."""

    def __init__(self, name: str, service: str) -> None:
        super().__init__(f"{name}: failed on service {service}")
        self.name = name


def decide(service: Service, policies: Sequence[NamedPolicy], facts: Facts) -> Service | Refusal:
    """Apply all policies; the first refusal of the whole service ends it.

    Raises:
        PolicyFailed: with the policy's exception as its cause.
    """
    for name, policy in policies:
        outcome = _guarded(name, policy.apply, service, facts)
        if isinstance(outcome, Refusal):
            return outcome
        service = outcome
    return service


def _guarded(
    name: str,
    apply: Callable[[Service, Facts], Service | Refusal],
    service: Service,
    facts: Facts,
) -> Service | Refusal:
    try:
        outcome = apply(service, facts)
    except Exception as error:
        # A policy is foreign code; whatever it raises is one bad plugin and not ours.
        raise PolicyFailed(name, service.name) from error
    if not isinstance(outcome, (Service, Refusal)):
        raise PolicyFailed(name, service.name) from TypeError(
            f"apply returned {type(outcome).__name__}, not a Service or a Refusal"
        )
    return outcome
