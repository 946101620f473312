"""Contradictions between keys; the golden files show where each of them is marked."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from clusterf.plugin import Settings
from clusterf_static.shape import BackendTable, FrontendTable, RouteTable, ServiceTable

V4, V6 = "192.0.2.1", "2001:db8::1"


@pytest.mark.parametrize(
    ("model", "data"),
    [
        (FrontendTable, {"ipv4": V4, "tcp": 0}),
        (FrontendTable, {"ipv6": V6, "sctp": 1}),
        (FrontendTable, {"fwmark": 1}),
        (FrontendTable, {"fwmark": 2**32 - 1, "family": "inet6"}),
        (ServiceTable, {}),
        (ServiceTable, {"frontends": []}),
        (BackendTable, {"address": V6, "port": 1}),
        (BackendTable, {"ipv4": V4, "ipv6": V6, "udp": 1}),
        (RouteTable, {}),
        (RouteTable, {"prefix": "::/0", "method": "droute", "gateway": V6}),
        (RouteTable, {"prefix": "::/0", "method": "tunnel", "gateway": V4}),
        (RouteTable, {"method": "droute", "gateway": V4}),
    ],
)
def test_right(model: type[Settings], data: dict[str, Any]) -> None:
    model.model_validate(data)


@pytest.mark.parametrize(
    ("model", "data"),
    [
        (FrontendTable, {}),
        (FrontendTable, {"ipv4": V4}),
        (FrontendTable, {"tcp": 80}),
        (FrontendTable, {"fwmark": 1, "tcp": 80}),
        (FrontendTable, {"fwmark": 1, "ipv4": V4}),
        (FrontendTable, {"fwmark": 1, "ipv4": V4, "tcp": 80}),
        (FrontendTable, {"ipv4": V4, "tcp": 80, "family": "inet"}),
        (FrontendTable, {"fwmark": 2**32}),
        (ServiceTable, {"frontend": {"fwmark": 1}, "frontends": []}),
        (BackendTable, {"address": V4}),
        (BackendTable, {"port": 80}),
        (BackendTable, {"address": V4, "ipv6": V6, "port": 80}),
        (BackendTable, {"address": V4, "port": 80, "udp": 80}),
        (BackendTable, {"address": V4, "port": 80, "id": "x" * 256}),
        (BackendTable, {"address": V4, "port": -1}),
        (BackendTable, {"address": V4, "tcp": 65536}),
        (RouteTable, {"gateway": V4}),
        (RouteTable, {"method": "droute", "tunnel": "gre"}),
        (RouteTable, {"prefix": "::/0", "method": "droute", "gateway": V4}),
    ],
)
def test_wrong(model: type[Settings], data: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        model.model_validate(data)
