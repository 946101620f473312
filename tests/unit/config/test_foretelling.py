from __future__ import annotations

from pathlib import Path

import pytest

from clusterf.config.check import foretell
from clusterf.config.foretelling import OfflineContext, certainty, make_policies
from clusterf.config.judging import Certainty
from clusterf.config.load import read_configuration
from tests.golden.plugins import registry

HEAD = '[clusterf]\nmanaged = ["192.0.2.0/24"]\n[outputs.kernel]\ntype = "ipvs"\n'
WEB = '[services.web]\nfrontend = { ipv4 = "192.0.2.1", tcp = 80 }\n'
DOCKER = '[sources.d]\ntype = "docker"\n'
POLICY = '[[policies]]\ntype = "routes"\n'
BROKEN = "[[policies]]\ntype = 5\n"


@pytest.mark.parametrize(
    ("text", "sure"),
    [
        (WEB, Certainty(complete=True, routed=True)),
        (WEB + POLICY, Certainty(complete=True, routed=True)),
        (WEB + DOCKER, Certainty(complete=False, routed=True)),
        (WEB + DOCKER + POLICY, Certainty(complete=False, routed=False)),
        (WEB + BROKEN, Certainty(complete=False, routed=False)),
        (WEB + '[defaults]\nmethod = "mask"\n', Certainty(complete=False, routed=False)),
        (WEB + "[services.x]\nfrontend = 1\n", Certainty(complete=False, routed=True)),
    ],
)
def test_what_is_certain(tmp_path: Path, text: str, sure: Certainty) -> None:
    path = tmp_path / "clusterf.toml"
    path.write_text(HEAD + text)
    reading = read_configuration(path, registry())
    foretold, problems = foretell(reading, registry())
    assert certainty(reading, foretold, problems) == sure


def test_policies_are_made_in_their_order(tmp_path: Path) -> None:
    path = tmp_path / "clusterf.toml"
    path.write_text(HEAD + WEB + POLICY + '[[policies]]\ntype = "local"\nsources = ["*"]\n')
    made, failures = make_policies(read_configuration(path, registry()).configuration)
    assert [(name, type(policy).__name__) for name, policy in made] == [
        ("policies[0]", "RoutesPolicy"),
        ("policies[1]", "LocalPolicy"),
    ]
    assert failures == {}


async def test_nothing_runs_offline(tmp_path: Path) -> None:
    context = OfflineContext("policies[0]", tmp_path)
    assert context.path(Path("a")) == tmp_path / "a"
    assert context.path(Path("/a")) == Path("/a")
    assert context.clock() == context.clock()
    assert context.log.name == "clusterf.policies[0]"
    with pytest.raises(RuntimeError):
        await context.run_blocking(print)
    with pytest.raises(RuntimeError):
        await context.run_blocking_until_closed(print, print)
