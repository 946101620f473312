from __future__ import annotations

import pytest

from clusterf.model.address import Address
from clusterf.model.table import Method
from clusterf_import.keepalived.forwarding import Forwarding
from clusterf_import.keepalived.real_servers import RealServer, real_server
from clusterf_import.places import Findings
from tests.unit.plugins.clusterf_import.keepalived.written import statement, told

DR = Forwarding(Method.DROUTE)


def read(text: str) -> tuple[RealServer | None, list[str]]:
    findings = Findings()
    return real_server(statement(text), DR, findings, "vs"), told(findings)


def test_one_with_everything() -> None:
    found, messages = read(
        "real_server 198.51.100.1 80 {\nweight 3\nuthreshold 9\nlthreshold 8\nlvs_method NAT\n}"
    )
    assert messages == []
    assert found is not None
    assert (found.address, found.port) == (Address.parse("198.51.100.1"), 80)
    assert (found.weight, found.upper, found.lower) == (3, 9, 8)
    assert found.forwarding == Forwarding()


def test_what_is_not_said_is_that_of_the_virtual_server() -> None:
    found, _ = read("real_server 198.51.100.1 {\n}")
    assert found is not None
    assert (found.port, found.weight, found.forwarding) == (0, None, DR)


def test_checks_are_kept_as_remarks() -> None:
    found, messages = read(
        "real_server 198.51.100.1 80 {\nTCP_CHECK {\nconnect_timeout 3\n}\ninhibit_on_failure\n}"
    )
    assert found is not None
    assert found.remarks == [
        "k.conf:2: TCP_CHECK { connect_timeout 3 }",
        "k.conf:5: inhibit_on_failure",
    ]
    assert messages == [
        "2:1: warning: vs real_server 198.51.100.1 80: TCP_CHECK is not carried over",
        "5:1: warning: vs real_server 198.51.100.1 80: inhibit_on_failure is not carried over",
    ]


@pytest.mark.parametrize(
    ("head", "message"),
    [
        ("", "1:1: error: vs real_server: has no address; it is left out"),
        ("web", '1:13: error: vs real_server web: "web" is no address of a server; it is left out'),
        ("0.0.0.0 80", ('1:13: error: vs real_server 0.0.0.0 80: "0.0.0.0" is no address of a '
         "server; it is left out")),
        ("198.51.100.1 x", ('1:26: error: vs real_server 198.51.100.1 x: "x" is not a port; the '
         "real server is left out")),
    ],
)  # fmt: skip
def test_what_keepalived_skips(head: str, message: str) -> None:
    assert read(f"real_server {head} {{\n}}") == (None, [message])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("weight x", ("2:8: error: S: weight is not a number from 0 to 2147483647; keepalived "
         "ignores it")),
        ("weight", ("2:1: error: S: weight is not a number from 0 to 2147483647; keepalived "
         "ignores it")),
        ("weight -1", ("2:8: error: S: weight is not a number from 0 to 2147483647; keepalived "
         "ignores it")),
        ("uthreshold x", ("2:12: error: S: uthreshold is not a number from 0 to 4294967295; "
         "keepalived ignores it")),
        ("weight 1 lthreshold 2", '2:10: warning: S: "lthreshold 2" is ignored, as by keepalived'),
        ("wieght 1", '2:1: warning: S: unknown keyword "wieght", not carried over'),
    ],
)  # fmt: skip
def test_what_keepalived_ignores(text: str, message: str) -> None:
    found, messages = read(f"real_server 198.51.100.1 80 {{\n{text}\n}}")
    assert found is not None
    assert messages == [message.replace("S:", "vs real_server 198.51.100.1 80:")]
