"""``lvs_method NAT|DR|TUN [type ...]``. Pure."""

from __future__ import annotations

from typing import NamedTuple

from clusterf.model.table import Method, Tunnel, TunnelType
from clusterf_import.keepalived.blocks import Statement
from clusterf_import.numbers import number
from clusterf_import.places import Findings
from clusterf_import.tunnels import FLAGS, checked

_METHODS = {"NAT": Method.MASQ, "DR": Method.DROUTE, "TUN": Method.TUNNEL}


class Forwarding(NamedTuple):
    """How packets reach a real server."""

    method: Method = Method.MASQ
    tunnel: Tunnel = Tunnel()


def forwarding(statement: Statement, findings: Findings, subject: str) -> Forwarding | None:
    """Read it; None, and a problem, where keepalived ignores it."""
    name = statement.arguments[0] if statement.arguments else ""
    method = _METHODS.get(name)
    if method is None:
        findings.error(
            statement.argument(0),
            f'"{name}" is not a forwarding method' if name else "has no forwarding method",
            "NAT, DR or TUN",
            subject=subject,
        )
        return None
    try:
        return Forwarding(method, _tunnel(statement.arguments[1:]))
    except ValueError as error:
        findings.error(statement.all_words, str(error), subject=subject)
        return None


def _tunnel(words: list[str]) -> Tunnel:
    kind, port, flags = TunnelType.IPIP, 0, "nocsum"
    rest = iter(words)
    for word in rest:
        if word == "type":
            given = next(rest, "")
            if given not in set(TunnelType):
                raise ValueError(f'"{given}" is not a type of tunnel')
            kind = TunnelType(given)
        elif word == "port":
            given = next(rest, "")
            read = number(given, 1, 65535)
            if read is None:
                raise ValueError(f'"{given}" is not a port')
            port = read
        elif word in FLAGS[TunnelType.GUE]:
            flags = word
        else:
            raise ValueError(f'"{word}" is not an option of a tunnel')
    return checked(Tunnel(kind, port, flags))
