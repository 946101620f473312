"""Hostile keys and values in etcd, while clients talk: each is refused for itself."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import NamedTuple

import pytest

from tests.lab.cluster.programs import JSON, Director
from tests.lab.cluster.site import Site
from tests.lab.cluster.stranger import Stranger
from tests.lab.cluster.witness import Witness
from tests.lab.kernel import Kernel

pytestmark = [pytest.mark.lab, pytest.mark.timeout(180)]

HUGE = 10_000_000
"""Bytes. From 10 MiB on etcd 3.4 takes a value, and does not start again with it in its log."""

GOOD = b'{"ipv4":"203.0.113.66","tcp":80}'
_DEEP = b'{"other":' + b'{"a":' * 9_000 + b"1" + b"}" * 9_000 + b"}"
_LONG = b"long" * 100

VALUES: dict[bytes, tuple[bytes, str]] = {
    b"services/x/backends/huge": (b" " * HUGE, f"is {HUGE} bytes long"),
    b"services/x/backends/nul": (b"\0", "is not JSON"),
    b"services/x/backends/nul-in-text": (b'{"ipv4":"203.0.113.66\\u0000"}', "ipv4:"),
    b"services/x/backends/control": (b'{"agent":"\\u001b[31m"}', "agent:"),
    b"services/x/backends/twice": (b'{"tcp":80,"tcp":"80"}', "tcp:"),
    b"services/x/backends/deep": (b"[" * 60_000, "nested too deeply"),
    b"services/x/backends/deeper": (b"[" * 100_000, "is 100000 bytes long"),
    b"services/x/backends/deep-inside": (_DEEP, "nested too deeply"),
    b"services/x/backends/not-utf8": (b'{"ipv4":"\xff\xfe"}', "is not UTF-8"),
    b"services/x/backends/digits": (b'{"tcp":' + b"9" * 60_000 + b"}", "tcp:"),
    b"services/../x": (GOOD, 'has ".." as a part'),
    b"services/a/backends/../../b": (GOOD, 'has ".." as a part'),
    b"services/../../../etc/passwd": (GOOD, 'has ".." as a part'),
    b"services//backends/x": (GOOD, "has an empty part"),
    b"services/x/backends/": (GOOD, "has an empty part"),
    b"services/x/backends/a/b": (GOOD, "has a part too many"),
    b"services/x/backends/\xff\xfe": (GOOD, "that is not UTF-8"),
    b"services/x\0/backends/y": (GOOD, "cannot be printed"),
    b"services/x\x1b[2J/frontend": (GOOD, "cannot be printed"),
    b"services/x/backends/" + _LONG: (GOOD, "of more than 255 characters"),
    b"x" * 100_000: (GOOD, "where services or routes is expected"),
    b"routes/bad": (b'{"IPVSMethod":"teleport"}', "IPVSMethod:"),
}
"""Keys without the prefix: what is written, and what is said of it."""

FRONTEND = b"services/web/frontend"
OVERWRITTEN = "ipv4: must be an IPv4 address, not 7"

MANY = 1000
"""Bad keys, all written at once."""


class Burden(NamedTuple):
    """What the director's process has cost: seconds of CPU, and MiB of memory now and at most."""

    cpu: float
    memory: float
    peak: float


def burden(kernel: Kernel, director: Director) -> Burden:
    script = (
        f"pid=$(pgrep -f '[c]lusterf run -c {director.file}'); cat /proc/$pid/stat;"
        " grep -E 'VmRSS|VmHWM' /proc/$pid/status; getconf CLK_TCK"
    )
    stat, *sizes, ticks = kernel.exec(["sh", "-ec", script]).stdout.splitlines()
    user, system = stat.rpartition(")")[2].split()[11:13]
    found = {line.split()[0]: int(line.split()[1]) / 1024 for line in sizes}
    return Burden((int(user) + int(system)) / int(ticks), found["VmRSS:"], found["VmHWM:"])


@pytest.fixture
def stranger(site: Site) -> Iterator[Stranger]:
    made = Stranger(site)
    yield made
    made.undo(*VALUES)
    made.delete(b"hostile/", b"hostile0")
    site.put_frontends()


def test_hostile_values_are_refused_one_by_one(
    site: Site, witness: Witness, stranger: Stranger
) -> None:
    director, kernel = site.director, site.network.director
    before = burden(kernel, director)
    for key, (value, _) in VALUES.items():
        stranger.put({key: value})
    stranger.put({b"hostile/%04d" % number: GOOD for number in range(MANY)})
    # What people wrote is overwritten: while the director runs, the last good value stays.
    stranger.put({FRONTEND: b'{"ipv4":7}'})
    wanted = Counter(detail for _, detail in VALUES.values())
    wanted['has "hostile" where services or routes is expected'] = MANY
    wanted[OVERWRITTEN] = 1
    picture = director.wait(lambda status: _refused(status, wanted), "each is refused", 30)
    places = {one["provenance"] for one in picture["refusals"]}
    assert len(places) == wanted.total(), "each under its own key"
    assert all(place.isprintable() for place in places)
    assert picture["sources"][0]["state"] == picture["outputs"][0]["state"] == "running"
    witness.check_nothing_happened()
    during = burden(kernel, director)
    assert during.peak - before.memory < 120
    assert during.cpu - before.cpu < 20

    # The same when they are found at a start, in a list.
    site.put_frontends()
    del wanted[OVERWRITTEN]
    witness.director_restarts()
    director.kill()
    director.start()
    director.wait_for_log(" adopted services=")
    director.wait(lambda status: _refused(status, wanted), "each is refused again", 30)
    for agent in site.agents.values():
        (output,) = agent.status()["outputs"]
        assert (output["state"], output["problems"]) == ("running", [])

    stranger.undo(*VALUES)
    assert stranger.delete(b"hostile/", b"hostile0") == MANY
    director.wait(lambda status: not status["refusals"], "what is deleted is not told any more", 30)
    witness.check_nothing_happened()
    site.check_follows()


def _refused(picture: JSON, wanted: Counter[str]) -> bool:
    """Whether status tells so many refusals with each of these texts, and no other ones."""
    told = [one["detail"] for one in picture["refusals"]]
    return len(told) == wanted.total() and all(
        sum(text in detail for detail in told) >= number for text, number in wanted.items()
    )
