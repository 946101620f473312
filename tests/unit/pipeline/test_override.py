from __future__ import annotations

import pytest

from clusterf.pipeline.override import Drained, matching, override
from tests.strategies import backend, service, spec

WEB = service(spec("web"), backend("web-1"), backend("web-10", weight=5))


def quiesced(*orders: Drained) -> dict[str, str | None]:
    found = override(WEB, dict.fromkeys(orders, "drained by operator"))
    return {identity: one.quiesced for identity, one in found.backends.items()}


def test_without_orders_the_service_is_the_same_object() -> None:
    assert override(WEB, {}) is WEB
    assert override(WEB, {Drained("other"): "x"}) is WEB


def test_an_order_for_the_service_quiesces_all_its_backends() -> None:
    assert quiesced(Drained("web")) == {
        "web-1": "drained by operator",
        "web-10": "drained by operator",
    }
    assert WEB.backends["web-1"].quiesced is None


def test_an_order_for_one_backend_quiesces_that_one() -> None:
    assert quiesced(Drained("web", "web-1")) == {"web-1": "drained by operator", "web-10": None}


def test_an_order_for_a_backend_that_is_gone_falls_on_no_other() -> None:
    assert quiesced(Drained("web", "web-")) == {"web-1": None, "web-10": None}
    assert quiesced(Drained("web", "w")) == {"web-1": None, "web-10": None}
    alone = service(spec("web"), backend("web-10"))
    found = override(alone, {Drained("web", "web-1"): "drained by operator"})
    assert found.backends["web-10"].quiesced is None


def test_an_order_for_a_backend_falls_on_what_a_policy_split_it_into() -> None:
    split = service(spec("web"), *(backend(f"b1{end}") for end in ("/inet", "/inet6", "/x")))
    found = override(split, {Drained("web", "b1"): "drained by operator"})
    quiesced = {identity for identity, one in found.backends.items() if one.quiesced}
    assert quiesced == {"b1/inet", "b1/inet6"}


def test_a_reason_that_is_there_already_stays() -> None:
    sick = service(spec("web"), backend("b1", quiesced="unhealthy"))
    found = override(sick, {Drained("web"): "drained by operator"})
    assert found.backends["b1"].quiesced == "unhealthy"


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("", ["ab", "abc", "x1"]),
        ("ab", ["ab"]),
        ("abc", ["abc"]),
        ("x", ["x1"]),
        ("a", []),
        ("y", []),
    ],
)
def test_an_operator_may_name_a_backend_by_a_unique_beginning(name: str, found: list[str]) -> None:
    assert matching({"ab": 1, "abc": 2, "x1": 3}, name) == found
