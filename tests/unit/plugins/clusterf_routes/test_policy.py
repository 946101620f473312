from __future__ import annotations

from pathlib import Path
from typing import Any

from clusterf.model.service import Facts
from clusterf.model.table import Method
from clusterf.testing import InstanceContext
from clusterf_routes.policy import RoutesPolicy
from clusterf_routes.settings import RoutesSettings
from tests.unit.plugins.clusterf_routes.services import backend, route, service


def policy(**settings: Any) -> RoutesPolicy:
    context = InstanceContext("policies[0]", folder=Path())
    return RoutesPolicy(RoutesSettings.model_validate(settings), context)


WEB = service(backend("a", "192.0.2.1"))


def method(of: RoutesPolicy, *routes: Any) -> Method | None:
    return of.apply(WEB, Facts(routes=routes)).backends["a"].method


def test_without_routes_a_service_is_the_same_object() -> None:
    assert policy().apply(WEB, Facts()) is WEB


def test_routes_of_sources_hold() -> None:
    assert method(policy(), route("r", "192.0.2.0/24", Method.TUNNEL)) is Method.TUNNEL


def test_own_routes_come_before_equal_ones_of_sources() -> None:
    own = policy(routes=[{"name": "own", "prefix": "192.0.2.0/24", "method": "droute"}])
    assert method(own, route("r", "192.0.2.0/24", Method.TUNNEL)) is Method.DROUTE
    assert method(own, route("r", "192.0.2.0/25", Method.TUNNEL)) is Method.TUNNEL


def test_of_own_routes_the_earlier_one_holds() -> None:
    first = {"name": "z", "prefix": "192.0.2.0/24", "method": "droute"}
    second = {"name": "a", "prefix": "192.0.2.0/24", "method": "masq"}
    assert method(policy(routes=[first, second])) is Method.DROUTE


def test_routes_of_other_sources_do_not_count() -> None:
    remote = route("r", "192.0.2.0/24", Method.DROUTE, source="sources.etcd-main")
    local = route("l", "192.0.0.0/16", Method.MASQ, source="sources.files")
    for patterns, expected in (
        (None, Method.DROUTE),
        (["files"], Method.MASQ),
        (["sources.fil*"], Method.MASQ),
        (["etcd-*"], Method.DROUTE),
        (["etcd"], None),
        ([], None),
    ):
        settings = {} if patterns is None else {"sources": patterns}
        assert method(policy(**settings), remote, local) is expected, patterns


def test_changed_routes_are_noticed() -> None:
    of = policy()
    assert method(of, route("r", "192.0.2.0/24", Method.TUNNEL)) is Method.TUNNEL
    assert method(of, route("r", "192.0.2.0/24", Method.DROUTE)) is Method.DROUTE
    assert method(of) is None


def test_a_refusal_names_the_place_of_an_own_route() -> None:
    after = policy(routes=[{"name": "rest"}]).apply(WEB, Facts())
    [refusal] = after.refusals
    assert 'route "rest" of policies[0] routes[0]' in refusal.detail
