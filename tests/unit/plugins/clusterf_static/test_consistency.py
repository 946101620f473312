from __future__ import annotations

from pathlib import Path

import pytest

from clusterf.config.configuration import Configuration
from clusterf.model.defaults import Defaults
from clusterf.model.problem import Code
from clusterf.plugin import Document
from clusterf_static.consistency import consistency_faults
from clusterf_static.part import Part
from clusterf_static.records import read_content

WEB = '[services.web]\nfrontend = { ipv4 = "192.0.2.1", tcp = 80 }\n'
DEFAULTS = Defaults(upper_threshold=5, lower_threshold=3)


def found(text: str) -> list[tuple[str, str]]:
    document = Document.parse("a.toml", text.encode())
    part = Part("sources.a", document, read_content(document.data, "sources.a"))
    configuration = Configuration(path=Path("clusterf.toml"), defaults=DEFAULTS)
    faults = list(consistency_faults(part, configuration))
    return [(problem.code, problem.path) for problem in document.problems(faults)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (WEB, []),
        (WEB + "upper_threshold = 2\n", [(Code.THRESHOLDS, "services.web.upper_threshold")]),
        (WEB + "lower_threshold = 6\n", [(Code.THRESHOLDS, "services.web.lower_threshold")]),
        (WEB + "lower_threshold = 0\n", []),
        (
            WEB + 'backends = ["198.51.100.1:80",'
            ' { address = "198.51.100.2", port = 80, upper_threshold = 1 }]\n',
            [(Code.THRESHOLDS, "services.web.backends[1]")],
        ),
        (
            WEB + "upper_threshold = 9\n"
            'backends = [{ address = "198.51.100.2", port = 80, lower_threshold = 8 }]\n',
            [],
        ),
        ("[routes.a]\n", [(Code.UNUSED_ROUTES, "routes")]),
        # Of two routes with one prefix one never holds.
        (
            """[routes.a]
prefix = "192.0.2.0/25"
[routes.b]
prefix = "192.0.2.0/25"
[routes.c]
[routes.d]
""",
            [
                (Code.UNUSED_ROUTES, "routes"),
                (Code.CONTRADICTION, "routes.b.prefix"),
                (Code.CONTRADICTION, "routes.d"),
            ],
        ),
        # One entry, asked for twice.
        (
            """[services.web]
frontends = [
    { fwmark = 7 },
    { fwmark = 7, family = "inet6" },
    { ipv4 = "192.0.2.1", tcp = 80 },
    { ipv4 = "192.0.2.1", udp = 80 },
    { ipv4 = "192.0.2.1", ipv6 = "2001:db8::1", udp = 81, tcp = 80 },
]
""",
            [(Code.CONTRADICTION, "services.web.frontends[4]")],
        ),
        # One-packet scheduling is of UDP.
        (WEB + 'flags = ["ops"]\n', [(Code.FLAG_WITHOUT_SCHEDULER, "services.web.flags")]),
        (WEB.replace("tcp", "udp") + 'flags = ["ops"]\n', []),
        ("[services.web]\nfrontend = { fwmark = 7 }\nflags = ['ops']\n", []),
        ("[services.web]\nflags = ['ops']\n", []),
        # The kernel rewrites nothing to a loopback address.
        (
            WEB + 'backends = ["127.0.0.1:80", "[::1]:80", "127.0.0.300:80", "128.0.0.1:80"]\n',
            [(Code.UNUSED_BACKEND, f"services.web.backends[{index}]") for index in (0, 1)],
        ),
        (WEB + 'method = "droute"\nbackends = ["127.0.0.1:80"]\n', []),
    ],
)
def test_faults(text: str, expected: list[tuple[str, str]]) -> None:
    assert found(text) == expected
