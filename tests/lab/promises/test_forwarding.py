"""Real requests over what was programmed: each forwarding method, and both families."""

from __future__ import annotations

import pytest

from tests.lab.promises.daemon import Daemon
from tests.lab.promises.servers import ask_name
from tests.lab.promises.stage import DIRECT, VIP, VIP6, VIP_DROUTE, VIP_TUNNEL, WEB, WEB6, World

pytestmark = [pytest.mark.lab, pytest.mark.timeout(300)]

SERVICES = f"""\
[services.web]
frontend = {{ ipv4 = "{VIP}", ipv6 = "{VIP6}", tcp = 8000 }}
scheduler = "rr"
backends = [
  {{ ipv4 = "{WEB["web1"]}", ipv6 = "{WEB6["web1"]}", tcp = 80 }},
  {{ ipv4 = "{WEB["web2"]}", ipv6 = "{WEB6["web2"]}", tcp = 80 }},
]

[services.droute]
frontend = {{ ipv4 = "{VIP_DROUTE}", tcp = 80 }}
method = "droute"
backends = ["{DIRECT}:80"]

[services.tunnel]
frontend = {{ ipv4 = "{VIP_TUNNEL}", tcp = 80 }}
method = "tunnel"
backends = ["{DIRECT}:80"]
"""


def test_clients_are_answered_by_every_method(daemon: Daemon, world: World) -> None:
    daemon.configure(services=SERVICES)
    daemon.start()
    for vip in (VIP, VIP6):
        answers = [ask_name(world.client, vip, 8000) for _ in range(4)]
        assert sorted(answers) == ["web1", "web1", "web2", "web2"], vip
    assert ask_name(world.client, VIP_DROUTE) == "direct"
    assert ask_name(world.client, VIP_TUNNEL) == "direct"

    # A drained backend gets no request any more, by either family.
    one = 'ipv4 = "203.0.113.12"'
    daemon.put("services.toml", SERVICES.replace(one, f"weight = 0, {one}"))
    daemon.settle()
    daemon.director.wait_for_rules(
        lambda rules: len([rule for rule in rules if rule.endswith("-w 0")]) == 2, "it is drained"
    )
    for vip in (VIP, VIP6):
        assert {ask_name(world.client, vip, 8000) for _ in range(4)} == {"web1"}, vip
