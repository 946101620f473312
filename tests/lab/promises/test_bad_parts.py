"""Bad parts: a configuration that is no good, and plugins that raise whenever they can."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.lab.promises.daemon import Daemon, configuration
from tests.lab.promises.test_bad_input import GOOD, GOOD_RULES

pytestmark = [pytest.mark.lab, pytest.mark.timeout(300)]


def test_unknown_keys_end_the_start_with_their_places(daemon: Daemon) -> None:
    daemon.configure(
        configuration(core="mangaed = []", kernel="drane = 1") + "\n[output.x]\n", good=GOOD
    )
    ended = daemon.cli("run")
    assert ended.returncode == 78
    assert "clusterf.toml:7:1: error[C101]: clusterf.mangaed: unknown key" in ended.stderr
    assert "clusterf.toml:18:1: error[C101]: outputs.kernel.drane: unknown key" in ended.stderr
    assert ":22:2: error[C101]: output: unknown key" in ended.stderr
    assert 'did you mean "outputs"' in ended.stderr
    assert "Traceback" not in ended.stderr
    assert daemon.director.managed() == []


DROP_IN = '''
"""Everything in it raises, each at its own time."""

from clusterf.model.operation import Plan
from clusterf.plugin import (
    OutputReport, OutputType, PolicyType, Settings, SourceType, hookimpl,
)

CLUSTERF_API = "1.0"


class Nothing(Settings):
    """No options."""


class Source:
    async def run(self, publish):
        raise ZeroDivisionError("the source")


class Policy:
    def apply(self, service, facts):
        if service.name == "cursed":
            raise ZeroDivisionError("the policy")
        return service


class Operation:
    stage, subject = 0, None

    def describe(self):
        return "say hello"

    def reason(self):
        return ""


class Output:
    async def observe(self, subjects):
        pass

    def plan(self, desired, subjects, now):
        return Plan([Operation()])

    async def carry_out(self, operations):
        raise ZeroDivisionError("the output")

    def report(self):
        return OutputReport()


@hookimpl
def clusterf_register_sources():
    return [SourceType(name="bad", settings=Nothing, create=lambda *_: Source(), summary="raises")]


@hookimpl
def clusterf_register_policies():
    return [PolicyType(name="bad", settings=Nothing, create=lambda *_: Policy(), summary="raises")]


@hookimpl
def clusterf_register_outputs():
    return [OutputType(name="bad", settings=Nothing, create=lambda *_: Output(), summary="raises")]
'''


def _drop_in(folder: Path) -> str:
    plugins = folder / "plugins.d"
    plugins.mkdir(mode=0o755)
    for name, text in (("bad.py", DROP_IN), ("worse.py", 'CLUSTERF_API = "1.0"\n1 / 0\n')):
        file = plugins / name
        file.write_text(text, encoding="utf-8")
        file.chmod(0o644)
    return 'plugin_dirs = ["plugins.d"]'


def test_a_plugin_that_raises_stays_one_bad_plugin(daemon: Daemon) -> None:
    cursed = GOOD.replace("good", "cursed").replace("tcp = 80", "tcp = 81")
    daemon.configure(
        configuration(
            core=_drop_in(daemon.folder),
            rest='[sources.bad]\ntype = "bad"\n[[policies]]\ntype = "bad"\n'
            '[outputs.bad]\ntype = "bad"\nstartup_error = "retry"\n',
        ),
        good=GOOD,
        cursed=cursed,
    )
    daemon.director.load_foreign()
    daemon.start(settled=False)
    daemon.director.wait_for_rules(lambda rules: rules == GOOD_RULES, "the good service is there")
    picture = daemon.wait(lambda status: len(status["outputs"]) == 2, "both outputs started")
    assert "worse.py:2:1: error[C301]: plugin not loaded: ZeroDivisionError" in daemon.log
    states = {
        one["name"]: (one["state"], one["bug"], one["reason"])
        for one in (*picture["sources"], *picture["outputs"])
    }
    assert states["sources.files"][:2] == ("running", False)
    assert states["outputs.kernel"][:2] == ("running", False)
    assert states["sources.bad"] == ("down", True, "ZeroDivisionError: the source")
    daemon.wait(
        lambda status: (
            "ZeroDivisionError: the output" in [one["reason"] for one in status["outputs"]]
        ),
        "the output's fault is told",
    )
    assert daemon.service("cursed")["failure"] == "policies[0]: failed on service cursed"
    assert picture["hold"], "the bad source has not spoken"

    # Changes still reach the kernel.
    daemon.put("good.toml", GOOD.replace('"rr"', '"lc"'))
    daemon.director.wait_for_rules(lambda rules: rules[0].endswith("-s lc"), "a change")
    daemon.director.check_foreign()
    # And it is run again, with back-off.
    daemon.wait_for_log(
        lambda: daemon.log.count("ZeroDivisionError: the source") >= 2, "that the source ran again"
    )


def test_a_plugin_that_is_asked_for_and_cannot_be_loaded_is_told(daemon: Daemon) -> None:
    core = _drop_in(daemon.folder)
    daemon.configure(configuration(core=core, rest='[sources.worse]\ntype = "worse"'), good=GOOD)
    ended = daemon.cli("run")
    assert ended.returncode == 78
    assert 'sources.worse.type: unknown type "worse"' in ended.stderr
    assert "worse.py:2:1: error[C301]: plugin not loaded: ZeroDivisionError" in ended.stderr
