from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from clusterf.model.provenance import Refusal
from clusterf.model.service import Facts, Service
from clusterf.model.table import Method
from clusterf.testing import applied, backend, route, service

WEB = service("web", "192.0.2.1")
ONE = backend("web", "a", "198.51.100.1", weight=4)


class Made:
    """A policy of one function."""

    def __init__(self, apply: Callable[[Service, Facts], Any]) -> None:
        self._apply = apply

    def apply(self, service: Service, facts: Facts) -> Any:
        return self._apply(service, facts)


def test_records_become_the_service_that_a_policy_is_given() -> None:
    def double(service: Service, _: Facts) -> Service:
        backends = {
            name: one._replace(weight=2 * (one.weight or 0))
            for name, one in service.backends.items()
        }
        return service.with_backends(backends)

    after = applied(Made(double), WEB, ONE)
    assert isinstance(after, Service)
    assert (after.name, after.spec) == ("web", WEB)
    assert after.backends["a"].weight == 8


def test_a_refusal_is_an_answer() -> None:
    refusal = Refusal("service web", "no", "is not liked")
    assert applied(Made(lambda *_: refusal), WEB) == refusal


def test_it_knows_routes_the_default_method_and_the_time() -> None:
    seen: list[Facts] = []

    def look(service: Service, facts: Facts) -> Service:
        seen.append(facts)
        return service

    rack = route("rack", "198.51.100.0/24", method="droute")
    applied(Made(look), WEB, rack, method=Method.TUNNEL, now=7.0)
    assert seen[0] == Facts(routes=(rack,), method=Method.TUNNEL, now=7.0)


def test_a_policy_that_is_not_pure_is_caught() -> None:
    weights = iter(range(10))

    def count(service: Service, _: Facts) -> Service:
        return service.with_backends({"a": ONE._replace(weight=next(weights))})

    with pytest.raises(AssertionError, match="not pure"):
        applied(Made(count), WEB, ONE)


def test_an_answer_of_another_kind_is_caught() -> None:
    with pytest.raises(AssertionError, match="apply returned NoneType"):
        applied(Made(lambda *_: None), WEB)


def test_what_it_raises_comes_out_as_it_is() -> None:
    with pytest.raises(ZeroDivisionError):
        applied(Made(lambda *_: 1 // 0), WEB)


@pytest.mark.parametrize("records", [(), (WEB, service("api", "192.0.2.2"))])
def test_it_is_about_one_service(records: tuple[Any, ...]) -> None:
    with pytest.raises(ValueError, match="records of one service"):
        applied(Made(lambda one, _: one), *records)
