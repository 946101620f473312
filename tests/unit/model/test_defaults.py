from __future__ import annotations

from clusterf.model.defaults import IPIP, Defaults
from clusterf.model.table import SCHEDULERS, Method, TunnelType


def test_the_defaults_are_those_of_ipvsadm_and_of_the_original() -> None:
    defaults = Defaults()
    assert (defaults.scheduler, defaults.method, defaults.weight) == ("wlc", Method.MASQ, 10)
    assert defaults.scheduler in SCHEDULERS
    assert not defaults.flags
    assert defaults.persistence is None
    assert not defaults.elide


def test_the_default_tunnel_is_plain_ipip() -> None:
    assert Defaults().tunnel == IPIP
    assert (IPIP.type, IPIP.port, IPIP.flags) == (TunnelType.IPIP, 0, "nocsum")
