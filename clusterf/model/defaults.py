"""What holds for every service that does not say otherwise: the table ``[defaults]``."""

from __future__ import annotations

from dataclasses import dataclass

from clusterf.model.service import StickyClients
from clusterf.model.table import Method, Tunnel

IPIP = Tunnel()


@dataclass(frozen=True, slots=True, kw_only=True)
class Defaults:
    """Values for what the records leave open. Weight 10 is the original's default."""

    scheduler: str = "wlc"
    flags: frozenset[str] = frozenset()
    persistence: StickyClients | None = None
    weight: int = 10
    method: Method = Method.MASQ
    tunnel: Tunnel = IPIP
    upper_threshold: int = 0
    lower_threshold: int = 0
    elide: bool = False
