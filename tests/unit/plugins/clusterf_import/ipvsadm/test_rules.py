from __future__ import annotations

import pytest

from clusterf_import.ipvsadm.rules import rules
from clusterf_import.places import Findings


def read(text: str) -> tuple[list[dict[str, str]], list[str]]:
    """Options of each line, and problems."""
    findings = Findings()
    found = [
        {name: given.value for name, given in rule.options.items()}
        for rule in rules("t", text, findings)
    ]
    return found, [str(problem) for problem in findings]


@pytest.mark.parametrize(
    ("text", "options"),
    [
        ("-A -t 192.0.2.1:80 -s rr", {"-A": "", "-t": "192.0.2.1:80", "-s": "rr"}),
        ("ipvsadm --add-service --tcp-service=a --persistent", {"-A": "", "-t": "a", "-p": ""}),
        ("-A -f 1 -p 300 -6\r", {"-A": "", "-f": "1", "-p": "300", "-6": ""}),
        ("-A -f 1 -p -6", {"-A": "", "-f": "1", "-p": "", "-6": ""}),
        ("-a -r b -i --tun-type gue --tun-csum",
         {"-a": "", "-r": "b", "-i": "", "--tun-type": "gue", "--tun-csum": ""}),
    ],
)  # fmt: skip
def test_options(text: str, options: dict[str, str]) -> None:
    assert read(text) == ([options], [])


def test_lines_without_rules() -> None:
    assert read("\n  \n# -A\nipvsadm\n") == ([], [])


@pytest.mark.parametrize("text", ["-C", "--set 900 30 120", "--start-daemon master"])
def test_commands_that_say_nothing_of_the_table(text: str) -> None:
    name = text.split(maxsplit=1)[0]
    assert read(text) == ([], [f"t:1:1: warning: {name} is not carried over"])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("-A -q x", 't:1:4: error: unknown option "-q"; left out'),
        ("-A x", 't:1:4: error: unknown option "x"; left out'),
        ("-A -t=x", 't:1:4: error: unknown option "-t=x"; left out'),
        ("-A -t", "t:1:4: error: -t has no value; the line is left out"),
        ("-A -t -s rr", "t:1:4: error: -t has no value; the line is left out"),
    ],
)
def test_what_is_wrong(text: str, message: str) -> None:
    assert read(text) == ([], [message])
