"""Which encapsulations there can be, as keepalived and ipvsadm check them. Pure."""

from __future__ import annotations

from clusterf.model.table import Tunnel, TunnelType

FLAGS = {
    TunnelType.IPIP: ("nocsum",),
    TunnelType.GRE: ("nocsum", "csum"),
    TunnelType.GUE: ("nocsum", "csum", "remcsum"),
}


def checked(tunnel: Tunnel) -> Tunnel:
    """The same.

    Raises:
        ValueError: its parts do not fit.
    """
    if (tunnel.type is TunnelType.GUE) is not (tunnel.port != 0):
        raise ValueError("a tunnel of type gue needs a port, and others have none")
    if tunnel.flags not in FLAGS[tunnel.type]:
        raise ValueError(f"a tunnel of type {tunnel.type} has no {tunnel.flags}")
    return tunnel
