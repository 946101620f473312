"""The lines of ``ipvsadm -S``: options and their values. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from enum import StrEnum
from typing import NamedTuple

from clusterf.plugin import did_you_mean
from clusterf_import.places import Findings, Place


class Takes(StrEnum):
    """Whether an option has a value."""

    NOTHING = "nothing"
    VALUE = "value"
    PERHAPS = "perhaps"


_OPTIONS = {
    ("-A", "--add-service"): Takes.NOTHING,
    ("-a", "--add-server"): Takes.NOTHING,
    ("-t", "--tcp-service"): Takes.VALUE,
    ("-u", "--udp-service"): Takes.VALUE,
    ("--sctp-service",): Takes.VALUE,
    ("-f", "--fwmark-service"): Takes.VALUE,
    ("-6", "--ipv6"): Takes.NOTHING,
    ("-s", "--scheduler"): Takes.VALUE,
    ("-p", "--persistent"): Takes.PERHAPS,
    ("-M", "--netmask"): Takes.VALUE,
    ("-b", "--sched-flags"): Takes.VALUE,
    ("-o", "--ops"): Takes.NOTHING,
    ("--pe",): Takes.VALUE,
    ("-r", "--real-server"): Takes.VALUE,
    ("-g", "--gatewaying"): Takes.NOTHING,
    ("-i", "--ipip"): Takes.NOTHING,
    ("-m", "--masquerading"): Takes.NOTHING,
    ("-w", "--weight"): Takes.VALUE,
    ("-x", "--u-threshold"): Takes.VALUE,
    ("-y", "--l-threshold"): Takes.VALUE,
    ("--tun-type",): Takes.VALUE,
    ("--tun-port",): Takes.VALUE,
    ("--tun-nocsum",): Takes.NOTHING,
    ("--tun-csum",): Takes.NOTHING,
    ("--tun-remcsum",): Takes.NOTHING,
    ("-n", "--numeric"): Takes.NOTHING,
}
_BY_NAME = {name: (names[0], takes) for names, takes in _OPTIONS.items() for name in names}

NOT_RULES = frozenset({"-C", "--clear", "-Z", "--zero", "--set", "--start-daemon", "--stop-daemon"})
"""Commands that people put into files for ``ipvsadm -R``, and that say nothing of the table."""

_WORD = re.compile(r"[^ \t\r\f\v]+")


class Given(NamedTuple):
    """An option's value ("" where it has none), and where it stands."""

    value: str
    place: Place


class Rule(NamedTuple):
    """One line: its options by their short names."""

    place: Place
    options: dict[str, Given]


def rules(name: str, text: str, findings: Findings) -> Iterator[Rule]:
    """All lines that are right by themselves; of the others the first fault is told."""
    for number, line in enumerate(text.split("\n"), 1):
        words = [
            Given(one[0], Place(name, number, one.start() + 1, len(one[0]), line.rstrip("\r")))
            for one in _WORD.finditer(line)
        ]
        if not words or words[0].value.startswith("#"):
            continue
        if words[0].value == "ipvsadm":
            words = words[1:]
        if words and words[0].value in NOT_RULES:
            findings.warning(words[0].place, f"{words[0].value} is not carried over")
        elif words:
            options = _options(words, findings)
            if options is not None:
                yield Rule(words[0].place, options)


def _options(words: list[Given], findings: Findings) -> dict[str, Given] | None:
    found: dict[str, Given] = {}
    rest = list(reversed(words))
    while rest:
        word = rest.pop()
        name, equals, value = word.value.partition("=")
        known = _BY_NAME.get(name)
        if known is None or (equals and not name.startswith("--")):
            hint = did_you_mean(name, _BY_NAME)
            findings.error(word.place, f'unknown option "{word.value}"; left out', hint)
            return None
        short, takes = known
        given = Given(value, word.place)
        more = rest and not rest[-1].value.startswith("-")
        if not equals and takes is not Takes.NOTHING and more:
            given = rest.pop()
        elif not equals and takes is Takes.VALUE:
            findings.error(word.place, f"{word.value} has no value; the line is left out")
            return None
        found[short] = given
    return found
