from __future__ import annotations

import tomllib
from dataclasses import replace
from pathlib import Path

import pytest

from clusterf.config.configuration import Configuration, Core
from clusterf.config.load import load_configuration, read_configuration, read_plugin_choice
from clusterf.config.settings import CoreTable, DefaultsTable
from clusterf.model.address import Network
from clusterf.model.defaults import Defaults
from clusterf.model.problem import Code, Problem, Severity
from clusterf.model.service import StickyClients
from clusterf.model.table import Method, Tunnel, TunnelType
from clusterf.plugin import Settings, SourceType
from clusterf.plugin.registry import Disabled, LoadFailure, Registry, Unmatched
from tests.golden.plugins import DockerStandIn, registry

SAMPLE = Path(__file__).parents[3] / "clusterf.toml"

SMALL = """
[clusterf]
managed = ["192.0.2.0/24"]
[sources.b]
type = "docker"
[outputs.kernel]
type = "ipvs"
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "clusterf.toml"


def load(path: Path, text: str) -> Configuration:
    path.write_text(text)
    configuration, problems = load_configuration(path, registry())
    assert problems == []
    assert configuration is not None
    return configuration


def refused(path: Path, text: str, known: Registry | None = None) -> list[Problem]:
    path.write_text(text)
    configuration, problems = load_configuration(path, known or registry())
    assert configuration is None
    return problems


def test_everything_has_a_default_but_managed(path: Path) -> None:
    configuration = load(path, SMALL)
    assert configuration.core == Core(managed=(Network.parse("192.0.2.0/24"),))
    assert configuration.defaults == Defaults()
    source = configuration.sources["sources.b"]
    assert (source.name, source.type.name) == ("sources.b", "docker")
    assert source.settings == DockerStandIn()
    assert source.startup_error == "retry"
    output = configuration.outputs["outputs.kernel"]
    assert (output.startup_error, output.look) == ("fail", 30.0)


def test_the_core(path: Path) -> None:
    text = SMALL.replace(
        "[sources.b]",
        """managed_fwmarks = [1, 2]
plugin_dirs = ["plugins.d", "/usr/lib/clusterf"]
disable_plugins = ["clusterf_etcd"]
control = "/run/other.sock"
state_dir = "state"
start_wait = "1m30s"
settle_max = 0.25
log_level = "debug"
log_format = "json"
[sources.b]""",
    )
    assert load(path, text).core == Core(
        managed=(Network.parse("192.0.2.0/24"),),
        managed_fwmarks=(1, 2),
        plugin_dirs=(Path("plugins.d"), Path("/usr/lib/clusterf")),
        disable_plugins=("clusterf_etcd",),
        control=Path("/run/other.sock"),
        state_dir=Path("state"),
        start_wait=90.0,
        settle_max=0.25,
        log_level="debug",
        log_format="json",
    )
    assert read_plugin_choice(path) == (
        (path.parent / "plugins.d", Path("/usr/lib/clusterf")),
        ("clusterf_etcd",),
    )


def test_defaults(path: Path) -> None:
    text = """[defaults]
scheduler = "mh"
flags = ["mh-port"]
persistence = { timeout = "5m", netmask = 24, netmask6 = 64 }
weight = 1
method = "tunnel"
tunnel = { type = "gue", port = 6080, flags = "csum" }
upper_threshold = 20
lower_threshold = 10
elide = true
"""
    assert load(path, SMALL + text).defaults == Defaults(
        scheduler="mh",
        flags=frozenset({"mh-port"}),
        persistence=StickyClients(300, 24, 64),
        weight=1,
        method=Method.TUNNEL,
        tunnel=Tunnel(TunnelType.GUE, 6080, "csum"),
        upper_threshold=20,
        lower_threshold=10,
        elide=True,
    )


def test_instances_are_in_the_order_of_the_file(path: Path) -> None:
    text = """
[sources.a]
type = "docker"
startup_error = "fail"
timeout = "3s"
[[policies]]
type = "routes"
[[policies]]
type = "routes"
enabled = false
[[policies]]
type = "routes"
[outputs.a]
type = "addresses"
startup_error = "retry"
look = 5
"""
    configuration = load(path, SMALL + text)
    assert list(configuration.sources) == ["sources.b", "sources.a"]
    assert configuration.sources["sources.a"].startup_error == "fail"
    assert configuration.sources["sources.a"].settings == DockerStandIn(timeout=3)
    # A policy that is off keeps its place, so that the others keep their names.
    assert [policy.name for policy in configuration.policies] == ["policies[0]", "policies[2]"]
    assert list(configuration.outputs) == ["outputs.kernel", "outputs.a"]
    output = configuration.outputs["outputs.a"]
    assert (output.startup_error, output.look) == ("retry", 5.0)


def test_an_output_that_publishes_waits_for_its_world_unless_told_otherwise(path: Path) -> None:
    found = registry()
    found.outputs["ipvs"] = replace(found.outputs["ipvs"], publishes=True)
    for more, wanted in (("", "retry"), ('startup_error = "fail"\n', "fail")):
        path.write_text(SMALL + more)
        configuration, _ = load_configuration(path, found)
        assert configuration is not None
        assert configuration.outputs["outputs.kernel"].startup_error == wanted


def test_services_of_the_file_are_the_first_source(path: Path) -> None:
    text = '[services.web]\nbackends = ["198.51.100.1:80"]\n[routes.r]\nmethod = "masq"\n'
    configuration = load(path, SMALL + text)
    assert list(configuration.sources) == ["services", "sources.b"]
    assert configuration.sources["services"].type.name == "static"


def test_an_instance_that_is_off_is_checked_and_left_out(path: Path) -> None:
    off = '[sources.off]\ntype = "docker"\nenabled = false\n'
    assert list(load(path, SMALL + off).sources) == ["sources.b"]
    assert [problem.path for problem in refused(path, SMALL + off + "x = 1\n")] == ["sources.off.x"]


def test_equal_files_give_equal_configurations(path: Path) -> None:
    assert load(path, SMALL) == load(path, SMALL + "# a comment\n")


def test_a_warning_is_no_obstacle(path: Path) -> None:
    path.write_text(SMALL.partition("[outputs")[0])
    configuration, problems = load_configuration(path, registry())
    assert configuration is not None
    assert [(problem.severity, problem.code) for problem in problems] == [
        (Severity.WARNING, Code.NO_OUTPUT)
    ]


def test_file_that_is_no_toml(path: Path) -> None:
    assert [problem.line for problem in refused(path, "\nx")] == [2]
    assert read_plugin_choice(path) == ((), ())


def test_file_that_is_not_there(path: Path) -> None:
    configuration, problems = load_configuration(path, registry())
    assert configuration is None
    assert [str(problem) for problem in problems] == [
        f"{path}: error[C001]: cannot be read: no such file or directory"
    ]


@pytest.mark.parametrize(
    "core",
    [
        "5",
        "{}",
        "{ plugin_dirs = 3, disable_plugins = 'x' }",
        '{ plugin_dirs = [3, "", "\\u0000"], disable_plugins = [[], ""] }',
    ],
)
def test_of_nonsense_no_plugin_is_chosen(path: Path, core: str) -> None:
    path.write_text(f"clusterf = {core}")
    assert read_plugin_choice(path) == ((), ())


def test_a_plugin_that_nobody_has_cannot_be_disabled(path: Path) -> None:
    path.write_text(
        SMALL.replace("[sources.b]", 'disable_plugins = ["x", "clusterf_etdc"]\n[sources.b]')
    )
    found = registry()
    found.unmatched = [
        Unmatched("clusterf_etdc", "disable_plugins", 'did you mean "clusterf_etcd"?'),
        Unmatched("x", "CLUSTERF_DISABLE_PLUGINS", "told elsewhere"),
    ]
    configuration, [problem] = load_configuration(path, found)
    assert configuration is not None
    assert (problem.severity, problem.code) == (Severity.WARNING, Code.UNKNOWN_CHOICE)
    assert problem.path == "clusterf.disable_plugins[1]"
    assert problem.message == 'no plugin is called "clusterf_etdc"'
    assert problem.hint == 'did you mean "clusterf_etcd"?'
    assert problem.source[problem.column - 1 :].startswith('"clusterf_etdc"')


def test_a_type_of_a_plugin_that_is_not_there_is_told_as_that(path: Path) -> None:
    text = SMALL.replace('"docker"', '"web-hook"')
    found = registry()
    found.failures = [LoadFailure("/p/web_hook.py", "bad")]
    assert [problem.hint for problem in refused(path, text, found)] == [
        "the plugin /p/web_hook.py could not be loaded"
    ]
    found.disabled = [Disabled("web_hook", "/p/web_hook.py", "disable_plugins")]
    assert [problem.hint for problem in refused(path, text, found)] == [
        "the plugin web_hook is disabled by disable_plugins"
    ]


def test_a_plugin_that_is_left_out_is_told_with_the_line_that_says_so(path: Path) -> None:
    text = SMALL.replace("[sources.b]", 'disable_plugins = [\n "x",\n "docker",\n]\n[sources.b]')
    found = registry()
    del found.sources["docker"]
    found.disabled = [Disabled("clusterf_docker", "bundled", "disable_plugins", "docker")]
    [problem] = refused(path, text, found)
    assert (problem.line, problem.message) == (9, 'unknown type "docker"')
    assert problem.hint == "the plugin clusterf_docker is disabled by disable_plugins in line 6"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        # What stands elsewhere is not missing besides.
        (SMALL.replace("[clusterf]\n", ""), [("managed", "it belongs to [clusterf]")]),
        (SMALL.replace("[clusterf]", "[global]"), [("global", "did you mean [clusterf]?")]),
        (
            SMALL.replace("[sources.b]", 'scheduler = "rr"\n[sources.b]'),
            [("clusterf.scheduler", "it belongs to [defaults]")],
        ),
        (
            SMALL.replace("sources.b", "sources.services"),
            [("sources.services", "give it another name")],
        ),
        (
            SMALL + '[outputs.k2]\ntype = "ipvs"\n',
            [("outputs.k2", "both would make the same part of this host: leave one out")],
        ),
    ],
)
def test_what_stands_where_it_must_not(path: Path, text: str, told: list[tuple[str, str]]) -> None:
    known = registry()
    known.outputs["ipvs"] = replace(known.outputs["ipvs"], alone=True)
    assert [(problem.path, problem.hint) for problem in refused(path, text, known)] == told


def test_of_what_is_managed_nothing_is_known_with_an_error_in_it(path: Path) -> None:
    path.write_text(SMALL.replace("[sources.b]", "managed_fwmark = [7]\n[sources.b]"))
    core = read_configuration(path, registry()).configuration.core
    assert 2**32 - 1 in core.managed_fwmarks


def test_the_part_that_is_right_can_be_read(path: Path) -> None:
    path.write_text(SMALL.replace('["192.0.2.0/24"]', "3") + '[sources.c]\ntype = "x"\n')
    reading = read_configuration(path, registry())
    assert list(reading.configuration.sources) == ["sources.b"]
    # What is managed is unknown, so nothing may be called outside of it.
    assert [str(prefix) for prefix in reading.configuration.core.managed] == ["0.0.0.0/0", "::/0"]


def test_a_validator_that_raises_anything_is_a_problem(path: Path) -> None:
    class Broken(Settings):
        def __init__(self, **_: object) -> None:
            raise RuntimeError("boom")

        @classmethod
        def model_validate(cls, *_: object, **__: object) -> Broken:
            raise KeyError("boom")

    found = registry()
    found.sources["broken"] = SourceType(
        name="broken", settings=Broken, create=found.sources["docker"].create, summary=""
    )
    path.write_text(SMALL + '[sources.x]\ntype = "broken"\n')
    configuration, problems = load_configuration(path, found)
    assert configuration is None
    assert [(problem.line, problem.code) for problem in problems] == [(8, Code.PLUGIN_FAILED)]
    assert "KeyError" in problems[0].message


def test_sections_in_place_need_the_static_plugin(path: Path) -> None:
    found = registry()
    del found.sources["static"]
    path.write_text(SMALL + "[services.web]\n")
    _, problems = load_configuration(path, found)
    assert [problem.code for problem in problems] == [Code.UNKNOWN_TYPE]


def test_the_sample_has_no_problem() -> None:
    configuration, problems = load_configuration(SAMPLE, registry())
    assert problems == []
    assert configuration is not None


_OF_SOURCES = ("persistence", "path", "[sources", "type", "enabled", "startup", "endpoints")
"""Lines between the core's tables that are not theirs, and one that has no default."""


def test_every_option_of_the_core_is_in_the_sample_with_its_default() -> None:
    text = SAMPLE.read_text()
    for commented in ("# persistence", "# [", "# prefix", "# gateway", "# backends", '# type = "s'):
        assert commented in text
    lines = text.splitlines()
    head = lines[lines.index("[clusterf]") : lines.index("[[policies]]")]
    shown = "\n".join(line.removeprefix("# ") for line in head if not line.startswith("##"))
    shown = "\n".join(line for line in shown.splitlines() if not line.startswith(_OF_SOURCES))
    data = tomllib.loads(shown)
    assert CoreTable.model_validate(data["clusterf"]).value() == Core(
        managed=(Network.parse("192.0.2.0/24"), Network.parse("2001:db8:10::/64"))
    )
    assert DefaultsTable.model_validate(data["defaults"]).value() == Defaults()
    assert data["clusterf"].keys() == CoreTable.model_fields.keys()
    assert data["defaults"].keys() | {"persistence"} == DefaultsTable.model_fields.keys()
