from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from clusterf.model.service import StickyClients
from clusterf.model.table import Method, Tunnel, TunnelType
from clusterf.plugin.faults import faults_of
from clusterf.plugin.forwarding import IPv4, IPv6, misfits
from clusterf.plugin.overrides import ServiceOverrides


class Table(ServiceOverrides):
    ipv4: IPv4 | None = None
    ipv6: IPv6 | None = None


@pytest.mark.parametrize(
    ("key", "value", "result"),
    [
        ("scheduler", "mh", "mh"),
        ("flags", ["ops", "sh-port"], frozenset({"ops", "sh-port"})),
        ("method", "droute", Method.DROUTE),
        ("persistence", "5m", StickyClients(300)),
        ("persistence", 60, StickyClients(60)),
        ("persistence", {"timeout": 60, "netmask": 24}, StickyClients(60, 24)),
        (
            "persistence",
            {"timeout": 60, "netmask": "255.255.240.0", "netmask6": 64},
            StickyClients(60, 20, 64),
        ),
        ("tunnel", "gre", Tunnel(TunnelType.GRE)),
        (
            "tunnel",
            {"type": "gue", "port": 6080, "flags": "remcsum"},
            Tunnel(TunnelType.GUE, 6080, "remcsum"),
        ),
    ],
)
def test_value(key: str, value: Any, result: Any) -> None:
    assert getattr(Table.model_validate({key: value}), key) == result
    # What has been checked once may be given again.
    assert getattr(Table.model_validate({key: result}), key) == result


@pytest.mark.parametrize(
    ("data", "at"),
    [
        ({"scheduler": "none"}, ("scheduler",)),
        ({"scheduler": 1}, ("scheduler",)),
        ({"flags": "ops"}, ("flags",)),
        ({"flags": ["ops", 3]}, ("flags", 1)),
        ({"method": "nat"}, ("method",)),
        ({"method": ["masq"]}, ("method",)),
        ({"persistence": 0}, ("persistence",)),
        ({"persistence": True}, ("persistence",)),
        ({"persistence": "9" * 400 + "d"}, ("persistence",)),
        ({"persistence": "32d"}, ("persistence",)),
        ({"persistence": {"timeout": 1, "netmask": 0}}, ("persistence", "netmask")),
        ({"persistence": {"timeout": 1, "netmask": "0.0.0.0"}}, ("persistence", "netmask")),
        ({"persistence": {"timeout": 1, "netmask": "::1"}}, ("persistence", "netmask")),
        ({"persistence": {"timeout": 1, "netmask": True}}, ("persistence", "netmask")),
        ({"tunnel": "gue"}, ("tunnel",)),
        ({"tunnel": {"type": 3}}, ("tunnel", "type")),
        ({"tunnel": []}, ("tunnel",)),
        ({"ipv4": "::1"}, ("ipv4",)),
        ({"ipv6": "192.0.2.1"}, ("ipv6",)),
        ({"ipv6": 5}, ("ipv6",)),
        ({"scheduler": "rr", "flags": ["mh-port"]}, ("flags",)),
        ({"upper_threshold": 1, "lower_threshold": 2}, ("lower_threshold",)),
        ({"upper_threshold": 2**32}, ("upper_threshold",)),
    ],
)
def test_fault(data: dict[str, Any], at: tuple[str | int, ...]) -> None:
    with pytest.raises(ValidationError) as caught:
        Table.model_validate(data)
    assert [fault.at for fault in faults_of(caught.value, Table, data)] == [at]


def test_misfits() -> None:
    assert misfits("mh", {"ops", "mh-port", "sh-port"}) == ["sh-port"]
