"""What comes out of tunnels goes to VIPs and to nothing else, whoever has sent it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from clusterf_addresses.tunnels import nft
from tests.lab.two_tiers.kernel import within
from tests.lab.two_tiers.stage import REAR, WAYS, Family, Stage
from tests.lab.two_tiers.tiers import Tiers, second_tier

pytestmark = [pytest.mark.lab, pytest.mark.timeout(300), pytest.mark.usefixtures("nftables")]

WAY = WAYS["ipip-over-ipv4"]
HERE: dict[Family, str] = {4: "203.0.113.254", 6: "2001:db8:20::fe"}
"""An address of the second tier that is no VIP."""


@pytest.fixture(params=[4, 6], ids=["ipv4", "ipv6"])
def family(request: pytest.FixtureRequest, tiers: Tiers) -> Iterator[Family]:
    """The router between the tiers sends packets of a family in tunnels, as anybody could."""
    core, number = tiers.stage.core, request.param
    ends = f"local {REAR.end(1, number)} remote {REAR.end(2, number)}"
    kind = "ipip" if number == 4 else "ip6tnl mode ip6ip6 encaplimit none"
    core.ip(
        f"link add strange type {kind} {ends}",
        "link set strange up",
        *(
            f"route add {target} dev strange src {REAR.end(1, number)}"
            for target in (HERE[number], WAY.backend(number), WAY.vip(number))
        ),
    )
    yield number
    core.ip("link delete strange")


def reaches(stage: Stage, target: str) -> bool:
    return stage.core.run(["busybox", "ping", "-c1", "-W1", target], check=False).returncode == 0


def test_a_stranger_s_tunnel_leads_to_vips_only(tiers: Tiers, family: Family) -> None:
    tiers.configure(second_tier())
    stage, inside = tiers.stage, (HERE[family], WAY.backend(family))
    assert reaches(stage, WAY.vip(family))
    assert [reaches(stage, target) for target in inside] == [False, False]

    # Without the table it does, until the next look.
    said = tiers.second.log.count("done op='nft table inet clusterf")
    with within(stage.tier2.namespace):
        nft.remove()
    assert [reaches(stage, target) for target in inside] == [True, True]
    tiers.second.wait_for_log(
        lambda: tiers.second.log.count("done op='nft table inet clusterf") > said, "a new table"
    )
    assert [reaches(stage, target) for target in inside] == [False, False]
    assert reaches(stage, WAY.vip(family))
