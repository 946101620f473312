"""Bad input: the one thing that is wrong is refused with its place, and nothing else is lost."""

from __future__ import annotations

from typing import Any

import pytest

from tests.lab.polling import eventually
from tests.lab.promises.daemon import Daemon
from tests.lab.promises.stage import PATIENCE, VIP, WEB

pytestmark = [pytest.mark.lab, pytest.mark.timeout(300)]

GOOD = f"""\
[services.good]
frontend = {{ ipv4 = "{VIP}", tcp = 80 }}
scheduler = "rr"
backends = ["{WEB["web1"]}:80"]
"""
GOOD_RULES = [f"-A -t {VIP}:80 -s rr", f"-a -t {VIP}:80 -r {WEB['web1']}:80 -m -w 10"]

REFUSED = f"""\
[services.thief]
frontend = {{ ipv4 = "{VIP}", tcp = 80 }}
backends = ["203.0.113.40:80"]

[services.outside]
frontends = [{{ ipv4 = "198.51.100.200", tcp = 80 }}, {{ ipv4 = "198.51.100.6", tcp = 80 }}]
scheduler = "rr"
backends = ["203.0.113.41:80"]

[services.family]
frontend = {{ ipv4 = "198.51.100.6", tcp = 81 }}
scheduler = "rr"
backends = ["[2001:db8:2::41]:81", "203.0.113.41:81"]

[services.port]
frontend = {{ ipv4 = "198.51.100.6", tcp = 82 }}
scheduler = "rr"
method = "droute"
backends = ["203.0.113.41:8082", "203.0.113.42:82"]
"""
FAULTY = """\
[services.weight]
frontend = { ipv4 = "198.51.100.6", tcp = 83 }
scheduler = "rr"
backends = [
  { address = "203.0.113.43", tcp = 83, weight = 2147483648 },
  "203.0.113.44:83",
]

[services.scheduler]
frontend = { ipv4 = "198.51.100.6", tcp = 84 }
scheduler = "wlcc"
backends = ["203.0.113.45:84"]

[services.keys]
frontend = { ipv4 = "198.51.100.6", tcp = 85 }
shceduler = "rr"
"""
FITTING = [
    "-A -t 198.51.100.6:80 -s rr",
    "-a -t 198.51.100.6:80 -r 203.0.113.41:80 -m -w 10",
    "-A -t 198.51.100.6:81 -s rr",
    "-a -t 198.51.100.6:81 -r 203.0.113.41:81 -m -w 10",
    "-A -t 198.51.100.6:82 -s rr",
    "-a -t 198.51.100.6:82 -r 203.0.113.42:82 -g -w 10",
    "-A -t 198.51.100.6:83 -s rr",
    "-a -t 198.51.100.6:83 -r 203.0.113.44:83 -m -w 10",
]


def _words(refusals: list[dict[str, Any]]) -> set[str]:
    return {f"{one['subject']}: {one['reason']}: {one['detail']}" for one in refusals}


def test_what_is_wrong_is_refused_one_by_one(shared: Daemon) -> None:
    shared.restore(a_good=GOOD, b_refused=REFUSED, c_faulty=FAULTY)
    director = shared.director
    assert sorted(director.managed()) == sorted([*GOOD_RULES, *FITTING])
    refusals = {
        one["name"]: _words(one["refusals"])
        for one in shared.status()["services"]
        if one["refusals"]
    }
    assert refusals == {
        "thief": {
            (
                f"service thief: duplicate_vip: tcp {VIP}:80 belongs to service good,"
                " which comes first in the configuration"
            )
        },
        "outside": {
            "service outside: outside_managed: tcp 198.51.100.200:80 is not managed",
        },
        "family": {
            (
                "service family backend [2001:db8:2::41]:81: no_match:"
                " has no address and port that any frontend of the service could use"
            )
        },
        "port": {
            (
                "service port backend 203.0.113.41:8082: port_rewrite_needs_masq: its port 8082"
                " is not that of tcp 198.51.100.6:82: droute cannot change ports"
            )
        },
    }
    found = {
        (one["provenance"], one["subject"]): (one["detail"], one["hint"])
        for one in shared.status()["refusals"]
    }
    source = "sources.files c_faulty.toml"
    assert set(found) == {
        (f"{source}:5:50", "services.weight.backends[0].weight"),
        (f"{source}:11:13", "services.scheduler.scheduler"),
        (f"{source}:16:1", "services.keys.shceduler"),
    }
    assert 'did you mean "wlc"' in str(found[f"{source}:11:13", "services.scheduler.scheduler"])
    assert 'did you mean "scheduler"' in str(found[f"{source}:16:1", "services.keys.shceduler"])
    shared.look_again()
    assert shared.operations() == []
    director.check_foreign()

    # The holder of the VIP goes, and the other one gets it.
    (shared.services / "a_good.toml").unlink()
    shared.director.wait_for_rules(
        lambda rules: f"-a -t {VIP}:80 -r 203.0.113.40:80 -m -w 10" in rules, "the next one has it"
    )


def test_a_file_that_turns_bad_keeps_its_last_good_content(shared: Daemon) -> None:
    other = GOOD.replace("good", "other").replace("tcp = 80", "tcp = 81")
    shared.restore(good=GOOD, other=other)
    file = shared.services / "good.toml"
    rules = shared.director.managed()
    assert len(rules) == 4

    def degraded(text: str) -> None:
        shared.wait(lambda status: text in str(status["sources"][0]["degraded"]), text)
        shared.look_again()
        assert (shared.operations(), shared.director.managed()) == ([], rules)

    def good_again() -> None:
        shared.put("good.toml", GOOD)
        shared.wait(lambda status: status["sources"][0]["degraded"] is None, "it is good again")
        shared.look_again()
        assert (shared.operations(), shared.director.managed()) == ([], rules)

    shared.put("good.toml", GOOD.replace('"rr"', "rr"))
    degraded(f"{file}:3:13: error[C003]: ")
    good_again()
    # Written in place and cut off, as by a full disk.
    file.write_text(GOOD[: GOOD.index("backends") + 14], encoding="utf-8")
    degraded(f"{file}:4:")
    good_again()
    file.unlink()
    file.mkdir()
    degraded(f"{file}: error[C001]: ")
    file.rmdir()
    good_again()


def test_a_file_that_is_deleted_and_made_again(shared: Daemon) -> None:
    shared.restore(good=GOOD, other=GOOD.replace("good", "other").replace("tcp = 80", "tcp = 81"))
    rules = shared.director.managed()
    (shared.services / "good.toml").unlink()
    shared.wait_for_operations([f"-e -t {VIP}:80 -r {WEB['web1']}:80 -m -w 0", f"-D -t {VIP}:80"])
    shared.put("good.toml", GOOD)
    shared.wait_for_operations(GOOD_RULES)
    assert sorted(shared.director.managed()) == sorted(rules)


def test_a_refusal_of_the_kernel_stays_one_refusal(shared: Daemon) -> None:
    """A destination at a broadcast address, and a scheduler that this kernel has no module of."""
    broadcast, modules = "203.0.113.255:80", "twos"
    shared.restore(good=GOOD)
    shared.put(
        "good.toml",
        GOOD.replace('80"]', f'80", "{broadcast}", "203.0.113.46:80"]')
        + f"""
[services.twos]
frontend = {{ ipv4 = "198.51.100.6", tcp = 80 }}
scheduler = "{modules}"
backends = ["203.0.113.47:80"]

[services.after]
frontend = {{ ipv4 = "198.51.100.6", tcp = 81 }}
scheduler = "rr"
backends = ["203.0.113.48:80"]
""",
    )
    rest = [
        *GOOD_RULES,
        f"-a -t {VIP}:80 -r 203.0.113.46:80 -m -w 10",
        "-A -t 198.51.100.6:81 -s rr",
        "-a -t 198.51.100.6:81 -r 203.0.113.48:80 -m -w 10",
    ]
    rules = shared.director.wait_for_rules(lambda rules: len(rules) >= 5, "all others are there")
    assert sorted(rules) == sorted(rest)
    shared.wait(lambda status: len(status["outputs"][0]["failing"]) == 2, "both are told")
    failing = {one["entry"]: (one["error"], one["hint"]) for one in shared.kernel()["failing"]}
    error, hint = failing[f"tcp {VIP}:80"]
    assert "EINVAL" in error
    assert broadcast in error
    assert hint == "ip route get 203.0.113.255"
    error, hint = failing["tcp 198.51.100.6:80"]
    assert "scheduler twos is not available (ENOENT)" in error
    assert hint == "modprobe ip_vs_twos, or choose another scheduler"
    rows = {
        row["address"]: (row["state"], row["reason"])
        for row in shared.service("good")["entries"][0]["destinations"]
    }
    assert rows[f"{WEB['web1']}:80"] == ("serving", "")
    assert rows[broadcast][0] == "missing"
    assert "EINVAL" in rows[broadcast][1]

    # Tried again with back-off: nothing else is written, and the log tells of it once.
    done, failed = shared.done()
    eventually(lambda: shared.done()[1] >= failed + 4, "it tries again", within=PATIENCE)
    assert shared.done()[0] == done
    assert len([op for op in shared.failures() if broadcast in op]) == 1

    # When the world is mended, so is this.
    shared.director.namespace.ip(
        "route del table local broadcast 203.0.113.255 dev back src 203.0.113.254"
    )
    shared.director.wait_for_rules(
        lambda rules: f"-a -t {VIP}:80 -r {broadcast} -m -w 10" in rules, "the retry succeeds", 60
    )
    shared.wait(lambda status: len(status["outputs"][0]["failing"]) == 1, "one is left")
    assert "recovered entry=tcp 198.51.100.1:80" in shared.log
