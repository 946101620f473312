"""Whole configurations; the golden files show the words."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from clusterf.config.check import check_offline
from clusterf.model.problem import Code, Severity
from clusterf.model.service import Facts, Service
from clusterf.plugin import OutputType, Policy, PolicyType, Settings
from tests.golden.plugins import registry

HEAD = '[clusterf]\nmanaged = ["192.0.2.0/24"]\nmanaged_fwmarks = [7]\n'
TAIL = '[outputs.kernel]\ntype = "ipvs"\n'
WEB = '[services.web]\nfrontend = { ipv4 = "192.0.2.1", tcp = 80 }\n'
POLICY = '[[policies]]\ntype = "routes"\n'
BACKENDS = 'backends = ["198.51.100.1:80"]\n'
DOCKER = '[sources.d]\ntype = "docker"\n'


@pytest.mark.parametrize(
    ("text", "codes"),
    [
        (WEB + 'backends = ["198.51.100.1:8080"]\n', []),
        # The default of the method holds, unless a route may choose another.
        ('[defaults]\nmethod = "droute"\n' + WEB + 'backends = ["198.51.100.1:81"]\n',
         [Code.PORT_REWRITE]),
        ('[defaults]\nmethod = "droute"\n' + POLICY + WEB + 'backends = ["198.51.100.1:81"]\n',
         [Code.PORT_REWRITE]),
        ('[defaults]\nmethod = "droute"\n' + POLICY + WEB + 'backends = ["198.51.100.1:81"]\n'
         '[routes.all]\nmethod = "masq"\n', []),
        (POLICY + WEB + 'method = "droute"\nbackends = ["198.51.100.1:81"]\n', [Code.PORT_REWRITE]),
        (POLICY + WEB + 'backends = ["[2001:db8::1]:80"]\n', [Code.FAMILY_MISMATCH]),
        (POLICY + WEB + 'backends = ["[2001:db8::1]:80"]\n[routes.all]\nmethod = "tunnel"\n', []),
        (WEB + 'backends = ["[2001:db8::1]:80"]\n', [Code.FAMILY_MISMATCH]),
        (WEB + 'method = "tunnel"\nbackends = ["[2001:db8::1]:80"]\n', []),
        # Containers may bring what the file does not say.
        ("[services.web]\n", [Code.NO_FRONTEND]),
        (DOCKER + "[services.web]\n", []),
        ("[services.web]\nfrontend = { fwmark = 7 }\nbackends = ['198.51.100.1:80']\n", []),
        ("[services.web]\nfrontend = { fwmark = 8 }\n", [Code.OUTSIDE_MANAGED]),
        ('[defaults]\npersistence = "5m"\n' + WEB.replace("tcp = 80", "tcp = 0")
         + BACKENDS, []),
        ('[defaults]\nscheduler = "mh"\n' + WEB + BACKENDS + 'flags = ["mh-port"]\n', []),
        ("[defaults]\nlower_threshold = 0\nupper_threshold = 5\n" + WEB + BACKENDS
         + "upper_threshold = 0\n", []),
        ("[defaults]\nlower_threshold = 3\nupper_threshold = 5\n" + WEB + BACKENDS
         + "upper_threshold = 2\n", [Code.THRESHOLDS]),
        # A service that asks twice for one entry is in nobody's way, and hardly meant.
        ("[services.web]\nfrontends = [{ fwmark = 7 }, { fwmark = 7 }]\n" + BACKENDS,
         [Code.CONTRADICTION]),
        # Without a backend it can only refuse, unless one may come.
        (WEB, [Code.NO_DESTINATION]),
        (WEB + "elide = true\n", []),
        (DOCKER + WEB, []),
        # The VIP of another service: its backends are not held against it.
        (WEB + BACKENDS + WEB.replace("web", "copy")
         + 'method = "droute"\nbackends = ["198.51.100.2:25"]\n', [Code.DUPLICATE_VIP]),
        # No host can have such a VIP.
        (WEB.replace("192.0.2.1", "224.0.0.18") + BACKENDS,
         [Code.OUTSIDE_MANAGED, Code.MALFORMED]),
        # One name in two sources is one service.
        (WEB + BACKENDS + '[sources.x]\ntype = "static"\n'
         + WEB.replace("[services", "[sources.x.services"), []),
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


NOTE, WARNING, ERROR = Severity.NOTE, Severity.WARNING, Severity.ERROR


@pytest.mark.parametrize(
    ("text", "found"),
    [
        # A route leaves one of two backends out: told, and no fault.
        (POLICY + WEB + 'backends = ["198.51.100.1:80", "203.0.113.1:80"]\n'
         '[routes.none]\nprefix = "203.0.113.0/24"\n', [(Code.LEFT_OUT, NOTE, 9, 32)]),
        # It leaves out all there are.
        (POLICY + WEB + 'backends = ["203.0.113.1:80"]\n[routes.none]\n',
         [(Code.NO_DESTINATION, WARNING, 8, 21), (Code.LEFT_OUT, NOTE, 9, 13)]),
        (POLICY + WEB + 'elide = true\nbackends = ["203.0.113.1:80"]\n[routes.none]\n',
         [(Code.LEFT_OUT, NOTE, 10, 13)]),
        # Containers may come, so it is not the last word.
        (DOCKER + POLICY + WEB + 'backends = ["203.0.113.1:80"]\n[routes.none]\n',
         [(Code.LEFT_OUT, NOTE, 11, 13)]),
        # A source that has not spoken may have a route that does without the refusal.
        (DOCKER + POLICY + WEB + 'method = "droute"\nbackends = ["198.51.100.1:81"]\n',
         [(Code.PORT_REWRITE, NOTE, 12, 13)]),
        (DOCKER + WEB + 'method = "droute"\nbackends = ["198.51.100.1:81"]\n',
         [(Code.PORT_REWRITE, ERROR, 10, 13)]),
        # The policy of a Docker host: what is of other hosts.
        ('[[policies]]\ntype = "local"\nprefixes = ["198.51.100.0/24"]\n' + WEB
         + 'backends = ["198.51.100.1:80", "203.0.113.1:80"]\n', [(Code.LEFT_OUT, NOTE, 8, 11)]),
        # Two sources, one service.
        (WEB + BACKENDS + 'scheduler = "rr"\n[sources.x]\ntype = "static"\n'
         '[sources.x.services.web]\n'
         'scheduler = "lc"\n', [(Code.CONFLICT, WARNING, 12, 13)]),
        (WEB + 'backends = [{ id = "a", address = "198.51.100.1", port = 80 }]\n[sources.x]\n'
         'type = "static"\n[sources.x.services.web]\n'
         'backends = [{ id = "a", address = "198.51.100.2", port = 80 }]\n',
         [(Code.CONFLICT, WARNING, 11, 13)]),
        (WEB + BACKENDS + '[sources.x]\ntype = "static"\n[sources.x.services.api]\n'
         'frontends = [{ ipv4 = "192.0.2.9", tcp = 80 }, { ipv4 = "192.0.2.1", tcp = 80 }]\n'
         + BACKENDS, [(Code.DUPLICATE_VIP, ERROR, 11, 57)]),
        # A VIP of two families, of which one is without backends.
        (WEB.replace("tcp", 'ipv6 = "2001:db8::1", tcp') + 'backends = ["198.51.100.1:80"]\n',
         [(Code.NO_DESTINATION, WARNING, 6, 41)]),
        # One destination, two methods.
        (WEB + 'backends = ["198.51.100.1:80",\n'
         ' { id = "b", address = "198.51.100.1", port = 80, method = "droute" }]\n',
         [(Code.METHOD_CONFLICT, WARNING, 8, 2)]),
        # What is not managed is looked at all the same.
        (WEB.replace("192.0.2.1", "203.0.113.1") + 'backends = [{ address = "198.51.100.1", '
         'udp = 80 }]\n',
         [(Code.OUTSIDE_MANAGED, ERROR, 6, 21), (Code.UNUSED_BACKEND, ERROR, 7, 13)]),
        # The family of a route's gateway.
        (POLICY + WEB + 'backends = ["198.51.100.1:80"]\n[routes.r]\nmethod = "droute"\n'
         'gateway = "2001:db8::1"\n', []),
    ],
)  # fmt: skip
def test_what_the_pipeline_refuses(
    tmp_path: Path, text: str, found: list[tuple[Code, Severity, int, int]]
) -> None:
    path = tmp_path / "clusterf.toml"
    head = HEAD.replace('24"]', '24", "2001:db8::/64"]')
    path.write_text(head + "#\n" + text + TAIL)
    problems = check_offline(path, registry())[1]
    assert [(one.code, one.severity, one.line, one.column) for one in problems] == found


class Raises:
    def apply(self, service: Service, facts: Facts) -> Service:
        raise ZeroDivisionError(f"{service.name} {facts.now}")


def raises_at_once(*_: object) -> Policy:
    raise KeyError("no")


@pytest.mark.parametrize(
    ("create", "place", "words"),
    [
        (lambda *_: Raises(), "services.web", "ZeroDivisionError: web 0.0"),
        (raises_at_once, "policies[0]", "KeyError: 'no'"),
    ],
)
def test_a_policy_that_raises_is_named(
    tmp_path: Path, create: Callable[..., Policy], place: str, words: str
) -> None:
    plugins = registry()
    plugins.policies["bad"] = PolicyType(name="bad", settings=Settings, create=create, summary="")
    path = tmp_path / "clusterf.toml"
    path.write_text(HEAD + '[[policies]]\ntype = "bad"\n' + WEB + TAIL)
    [problem] = check_offline(path, plugins)[1]
    assert (problem.code, problem.path, problem.hint) == (
        Code.PLUGIN_FAILED, place, "a bug in the plugin",
    )  # fmt: skip
    assert "policies[0]" in str(problem)
    assert words in problem.message


def test_services_of_several_files_keep_their_order(tmp_path: Path) -> None:
    folder = tmp_path / "services.d"
    folder.mkdir()
    (folder / "a.toml").write_text("[services.other]\n" + WEB.replace("web", "zzz") + BACKENDS)
    (folder / "b.toml").write_text(WEB.replace("web", "aaa"))
    path = tmp_path / "clusterf.toml"
    path.write_text(HEAD + '[sources.f]\ntype = "static"\npath = "services.d"\n' + TAIL)
    [other, taken] = check_offline(path, registry())[1]
    assert other.code == Code.NO_FRONTEND
    assert (taken.file, taken.path) == (str(folder / "b.toml"), "services.aaa.frontend.ipv4")
    assert taken.hint == f"see {folder / 'a.toml'}:3"


def test_an_unreadable_file_makes_nothing_certain(tmp_path: Path) -> None:
    path = tmp_path / "clusterf.toml"
    path.write_text(HEAD + '[services.web]\n[sources.f]\ntype = "static"\npath = "none"\n' + TAIL)
    assert [one.code for one in check_offline(path, registry())[1]] == [Code.UNREADABLE]


PUBLISHED = '[outputs.cluster]\ntype = "far"\n'


@pytest.mark.parametrize(
    ("outputs", "codes"),
    [
        (PUBLISHED, []),
        (PUBLISHED + TAIL, [Code.UNUSED_BACKEND]),
        (PUBLISHED + TAIL + "drian = 1\n", [Code.UNUSED_BACKEND, Code.UNKNOWN_KEY]),
    ],
)
def test_a_host_that_only_publishes_has_no_table(
    tmp_path: Path, outputs: str, codes: list[Code]
) -> None:
    plugins = registry()
    plugins.outputs["far"] = OutputType(
        name="far",
        settings=Settings,
        create=lambda *_: None,  # type: ignore[arg-type,return-value]
        summary="",
        publishes=True,
    )
    path = tmp_path / "clusterf.toml"
    routes = '[routes.here]\nmethod = "droute"\n'
    backends = 'backends = [{ address = "198.51.100.1", udp = 1 }]\n'
    path.write_text(HEAD + WEB + backends + routes + outputs)
    assert [one.code for one in check_offline(path, plugins)[1]] == codes
