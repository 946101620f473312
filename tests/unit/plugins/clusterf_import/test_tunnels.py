from __future__ import annotations

import pytest

from clusterf.model.table import Tunnel, TunnelType
from clusterf_import.tunnels import checked


@pytest.mark.parametrize(
    "tunnel",
    [
        Tunnel(),
        Tunnel(TunnelType.GRE, 0, "csum"),
        Tunnel(TunnelType.GUE, 6080, "remcsum"),
    ],
)
def test_what_there_can_be(tunnel: Tunnel) -> None:
    assert checked(tunnel) is tunnel


@pytest.mark.parametrize(
    "tunnel",
    [
        Tunnel(TunnelType.GUE),
        Tunnel(TunnelType.GRE, 6080),
        Tunnel(TunnelType.IPIP, 0, "csum"),
        Tunnel(TunnelType.GRE, 0, "remcsum"),
    ],
)
def test_what_does_not_fit(tunnel: Tunnel) -> None:
    with pytest.raises(ValueError, match="tunnel of type"):
        checked(tunnel)
