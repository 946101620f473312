from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

from clusterf.model.provenance import Refusal
from clusterf.model.service import Facts, Service
from clusterf.pipeline.decide import NamedPolicy, PolicyFailed, decide
from tests.strategies import service, spec

FACTS = Facts(now=5.0)
WEB = service(spec("web"))


@dataclass
class Weighs:
    """Multiplies the weight; the order of two of them shows."""

    add: int = 0
    times: int = 1

    def apply(self, one: Service, facts: Facts) -> Service | Refusal:
        assert facts is FACTS
        weight = (one.spec.weight or 0) * self.times + self.add
        return one._replace(spec=one.spec._replace(weight=weight))


@dataclass
class Answers:
    """Returns what it is told to, or raises it."""

    answer: Any

    def apply(self, one: Service, facts: Facts) -> Service | Refusal:
        assert (one, facts) == (WEB, FACTS)
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer  # type: ignore[no-any-return]


def test_without_policies_the_service_is_the_same() -> None:
    assert decide(WEB, [], FACTS) is WEB


def test_policies_are_applied_in_their_order() -> None:
    found = decide(WEB, [NamedPolicy("a", Weighs(add=3)), NamedPolicy("b", Weighs(times=2))], FACTS)
    assert isinstance(found, Service)
    assert found.spec.weight == 6


def test_a_refusal_of_the_service_ends_it() -> None:
    no = Refusal("service web", "not_admitted", "nobody may")
    never = NamedPolicy("b", Answers(AssertionError("asked")))
    assert decide(WEB, [NamedPolicy("a", Answers(no)), never], FACTS) is no


def test_a_policy_that_raises_is_named_with_its_cause() -> None:
    cause = ZeroDivisionError("x")
    with pytest.raises(PolicyFailed, match=r"policies\[0\]: failed on service web") as caught:
        decide(WEB, [NamedPolicy("policies[0]", Answers(cause))], FACTS)
    assert caught.value.__cause__ is cause
    assert caught.value.name == "policies[0]"


@pytest.mark.parametrize("answer", [None, "web", [WEB]])
def test_a_policy_that_returns_something_else_has_failed(answer: object) -> None:
    with pytest.raises(PolicyFailed) as caught:
        decide(WEB, [NamedPolicy("p", Answers(answer))], FACTS)
    assert "not a Service or a Refusal" in str(caught.value.__cause__)
