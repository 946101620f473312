from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import trio

from clusterf.config.configuration import Configuration, Instance
from clusterf.model.errors import ClusterfError
from clusterf.plugin import Settings, SourceType
from clusterf_etcd.commands.connecting import chosen, connected, connection, pick, tree_prefix
from clusterf_etcd.commands.ending import Misused, NotConfigured, NotPermitted
from clusterf_etcd.failure import PermissionDenied
from clusterf_etcd.settings import EtcdOutputSettings, EtcdSourceSettings
from tests.unit.plugins.clusterf_etcd.commands.given import NOWHERE, given


def instance(name: str, settings: Settings) -> Instance[Any]:
    def create(*_: object) -> Any:
        raise AssertionError

    kind = SourceType(name="etcd", settings=type(settings), create=create, summary="")
    return Instance(name=name, type=kind, settings=settings)


def source(name: str, **settings: Any) -> Instance[Any]:
    return instance(f"sources.{name}", EtcdSourceSettings(**settings))


def output(name: str, **settings: Any) -> Instance[Any]:
    return instance(f"outputs.{name}", EtcdOutputSettings(sources=["docker"], **settings))


def configured(*instances: Instance[Any]) -> Configuration:
    by_name = {one.name: one for one in instances}
    return Configuration(
        path=Path("/etc/clusterf/clusterf.toml"),
        sources={name: one for name, one in by_name.items() if name.startswith("sources.")},
        outputs={name: one for name, one in by_name.items() if name.startswith("outputs.")},
    )


A, B = {"endpoints": ["http://192.0.2.1"]}, {"endpoints": ["http://192.0.2.2"]}


# --- which instance -------------------------------------------------------------------------------


def test_the_only_instance_counts() -> None:
    name, settings = pick(configured(source("cluster", **A)), None)
    assert (name, settings.endpoints) == ("sources.cluster", ["http://192.0.2.1:2379"])


def test_others_are_not_looked_at() -> None:
    name, _ = pick(configured(instance("sources.x", Settings()), output("cluster")), None)
    assert name == "outputs.cluster"


def test_sources_come_first_and_the_same_connection_is_one() -> None:
    found = configured(output("a", **A, ttl=20), source("b", **A, relist=5))
    assert pick(found, None)[0] == "sources.b"


@pytest.mark.parametrize(
    "other", [B, A | {"prefix": "/other"}, A | {"user": "x", "password_file": "/p"}]
)
def test_of_several_one_must_be_named(other: dict[str, Any]) -> None:
    found = configured(source("a", **A), output("b", **other))
    with pytest.raises(Misused) as told:
        pick(found, None)
    assert str(told.value) == (
        "several etcds are configured: sources.a, outputs.b (hint: say which: --instance NAME)"
    )
    assert pick(found, "b")[0] == "outputs.b"
    assert pick(found, "sources.a")[0] == "sources.a"


def test_a_source_and_an_output_of_one_name_are_told_apart() -> None:
    found = configured(source("a", **A), output("a", **B))
    with pytest.raises(Misused, match="several"):
        pick(found, "a")
    assert pick(found, "outputs.a")[0] == "outputs.a"


def test_a_name_that_nobody_has_is_told_with_those_there_are() -> None:
    with pytest.raises(Misused) as told:
        pick(configured(source("a")), "b")
    assert told.value.hint == "there are: sources.a"


@pytest.mark.parametrize("name", [None, "x"])
def test_without_any_instance_the_configuration_is_at_fault(name: str | None) -> None:
    with pytest.raises(NotConfigured) as told:
        pick(configured(instance("sources.x", Settings())), name)
    assert told.value.exit_code == 78
    assert "--endpoint" in told.value.hint


# --- options --------------------------------------------------------------------------------------


def test_with_an_endpoint_no_configuration_is_read(tmp_path: Path) -> None:
    words = ("-c", str(tmp_path / "nowhere"), "--endpoint", "http://[2001:db8::1]")
    name, settings = chosen(given("get", *words, "--prefix", "/x/", "--timeout", "250ms"))
    assert name == "etcd"
    assert settings.endpoints == ["http://[2001:db8::1]:2379"]
    assert (settings.prefix, settings.timeout) == ("/x", 0.25)


def write(folder: Path, more: str = "") -> str:
    path = folder / "clusterf.toml"
    path.write_text(
        '[clusterf]\nmanaged = ["192.0.2.0/24"]\n[sources.cluster]\ntype = "etcd"\n'
        'endpoints = ["https://192.0.2.1"]\nuser = "reader"\npassword_file = "secret"\n'
        f'tls = {{ ca = "ca.pem" }}\n[outputs.kernel]\ntype = "ipvs"\n{more}'
    )
    return str(path)


def test_options_stand_in_for_settings_one_by_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = write(tmp_path)
    monkeypatch.chdir("/tmp")  # noqa: S108 - somewhere else
    command = given("get", "-c", file, "--user", "root", "--password-file", "pw", "--prefix", "/x")
    name, settings = chosen(command)
    assert name == "sources.cluster"
    assert settings.endpoints == ["https://192.0.2.1:2379"]
    assert (settings.user, settings.password_file, settings.prefix) == (
        "root",
        Path("/tmp/pw"),  # noqa: S108 - as above
        "/x",
    )
    # What the configuration says is relative to it.
    assert settings.tls is not None
    assert command.context(name).path(settings.tls.ca or Path()) == tmp_path / "ca.pem"


def test_a_user_does_not_come_with_another_one_s_password(tmp_path: Path) -> None:
    with pytest.raises(Misused, match="user and password_file belong together"):
        chosen(given("get", "-c", write(tmp_path), "--user", "root"))


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--endpoint", "ftp://x"), '--endpoint: "ftp://x" is not http://'),
        (("--endpoint", "http://x", "--endpoint", "http://x"), "--endpoint: http://x:2379 is give"),
        ((*NOWHERE, "--prefix", "x"), '--prefix: "x" is not an absolute path'),
        ((*NOWHERE, "--prefix", "/x", "--prefix", "/y"), "--prefix is given twice: /x and /y"),
        ((*NOWHERE, "--timeout", "soon"), '--timeout: "soon" is not a duration'),
        ((*NOWHERE, "--timeout", "0"), "--timeout: "),
        ((*NOWHERE, "--ca", "ca.pem"), "--ca, --cert, --key: needs endpoints of the form https"),
        (("--endpoint", "https://x", "--cert", "c"), "--ca, --cert, --key: cert and key belong"),
        ((*NOWHERE, "--instance", "x"), "--instance and --endpoint exclude one another"),
    ],
)
def test_what_does_not_fit_is_told_by_the_name_of_its_option(
    words: tuple[str, ...], told: str
) -> None:
    with pytest.raises(Misused) as misused:
        chosen(given("get", *words))
    assert misused.value.exit_code == 2
    assert str(misused.value).startswith(told)


def test_a_configuration_at_fault_is_told_with_the_other_way(tmp_path: Path) -> None:
    with pytest.raises(ClusterfError) as told:
        chosen(given("get", "-c", write(tmp_path, "lok = 1\n")))
    assert told.value.exit_code == 78
    assert 'did you mean "look"?' in str(told.value)
    assert "--endpoint URL" in str(told.value)


def test_one_prefix_is_enough() -> None:
    assert tree_prefix([]) is None
    assert tree_prefix(["/x"]) == "/x"


def test_what_is_given_counts_before_what_there_is() -> None:
    base = {"endpoints": ["http://192.0.2.1"], "prefix": "/a"}
    assert connection(base, {"prefix": "/b"}).prefix == "/b"


# --- the connection -------------------------------------------------------------------------------


async def test_nobody_there_ends_a_command_with_69() -> None:
    with trio.fail_after(10), pytest.raises(ClusterfError) as ended:
        async with connected(given("get", *NOWHERE)) as etcd:
            await etcd.look(etcd.prefix)
    assert ended.value.exit_code == 69
    assert "connection refused" in str(ended.value)


async def test_what_goes_wrong_within_is_translated() -> None:
    with pytest.raises(NotPermitted, match="no"):
        async with connected(given("get", *NOWHERE)):
            raise PermissionDenied("no")


async def test_it_says_what_it_is() -> None:
    async with connected(given("get", *NOWHERE)) as etcd:
        assert str(etcd) == "http://127.0.0.1:1 /clusterf"
