"""What depends on the rest of the configuration; the golden files show the plain cases."""

from __future__ import annotations

from pathlib import Path

import pytest

from clusterf.config.check import check_offline
from clusterf.model.problem import Code
from tests.golden.plugins import registry

HEAD = '[clusterf]\nmanaged = ["192.0.2.0/24"]\nmanaged_fwmarks = [7]\n'
TAIL = '[outputs.kernel]\ntype = "ipvs"\n'
WEB = '[services.web]\nfrontend = { ipv4 = "192.0.2.1", tcp = 80 }\n'
POLICY = '[[policies]]\ntype = "routes"\n'
DOCKER = '[sources.d]\ntype = "docker"\n'


@pytest.mark.parametrize(
    ("text", "codes"),
    [
        (WEB + 'backends = ["198.51.100.1:8080"]\n', []),
        # The default of the method holds, unless a policy may choose another.
        ('[defaults]\nmethod = "droute"\n' + WEB + 'backends = ["198.51.100.1:81"]\n',
         [Code.PORT_REWRITE]),
        ('[defaults]\nmethod = "droute"\n' + POLICY + WEB + 'backends = ["198.51.100.1:81"]\n', []),
        (POLICY + WEB + 'method = "droute"\nbackends = ["198.51.100.1:81"]\n', [Code.PORT_REWRITE]),
        (POLICY + WEB + 'backends = ["[2001:db8::1]:80"]\n', []),
        (WEB + 'backends = ["[2001:db8::1]:80"]\n', [Code.FAMILY_MISMATCH]),
        (WEB + 'method = "tunnel"\nbackends = ["[2001:db8::1]:80"]\n', []),
        # Containers may bring what the file does not say.
        ("[services.web]\n", [Code.NO_FRONTEND]),
        (DOCKER + "[services.web]\n", []),
        ("[services.web]\nfrontend = { fwmark = 7 }\nbackends = ['198.51.100.1:80']\n", []),
        ("[services.web]\nfrontend = { fwmark = 8 }\n", [Code.OUTSIDE_MANAGED]),
        ('[defaults]\npersistence = "5m"\n' + WEB.replace("tcp = 80", "tcp = 0"), []),
        ('[defaults]\nscheduler = "mh"\n' + WEB + 'flags = ["mh-port"]\n', []),
        ("[defaults]\nlower_threshold = 0\nupper_threshold = 5\n" + WEB + "upper_threshold = 0\n",
         []),
        ("[defaults]\nlower_threshold = 3\nupper_threshold = 5\n" + WEB + "upper_threshold = 2\n",
         [Code.THRESHOLDS]),
        # A service that asks twice for one entry is in nobody's way.
        ("[services.web]\nfrontends = [{ fwmark = 7 }, { fwmark = 7 }]\n", []),
        # One name in two sources is one service.
        (WEB + '[sources.x]\ntype = "static"\n' + WEB.replace("[services", "[sources.x.services"),
         []),
    ],
)  # fmt: skip
def test_codes(tmp_path: Path, text: str, codes: list[Code]) -> None:
    path = tmp_path / "clusterf.toml"
    path.write_text(HEAD + text + TAIL)
    problems = check_offline(path, registry())[1]
    assert [problem.code for problem in problems] == codes


def test_the_backend_that_is_meant_is_marked_beside_refused_ones(tmp_path: Path) -> None:
    path = tmp_path / "clusterf.toml"
    backends = '["nonsense", "198.51.100.1:80",\n "[2001:db8:0:0::1]:80"]\n'
    path.write_text(HEAD + WEB + f"backends = {backends}" + TAIL)
    problems = check_offline(path, registry())[1]
    assert [(problem.line, problem.column) for problem in problems] == [(6, 13), (7, 2)]
