from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from clusterf_etcd.settings import ConnectionSettings, EtcdOutputSettings, EtcdSourceSettings


def connection(**facts: Any) -> ConnectionSettings:
    return ConnectionSettings.model_validate(facts)


def test_the_defaults_are_those_of_a_local_etcd() -> None:
    settings = connection()
    assert settings.endpoints == ["http://127.0.0.1:2379"]
    assert settings.prefix == "/clusterf"
    assert settings.timeout == 5
    assert settings.user is settings.password_file is settings.tls is None
    source = EtcdSourceSettings()
    assert (source.relist, source.grace, source.agent) == (600, 15, None)
    output = EtcdOutputSettings(sources=["docker-*"])
    assert (output.ttl, output.on_stop, output.routes, output.agent) == (10, "expire", False, None)


@pytest.mark.parametrize(
    ("given", "read"),
    [
        ("http://192.0.2.1", "http://192.0.2.1:2379"),
        ("http://192.0.2.1:80/", "http://192.0.2.1:80"),
        ("https://etcd-1.example:2379", "https://etcd-1.example:2379"),
        ("HTTPS://Etcd.Example", "https://etcd.example:2379"),
        ("http://[2001:DB8:0::1]:4001", "http://[2001:db8::1]:4001"),
        ("https://[2001:db8::1]", "https://[2001:db8::1]:2379"),
    ],
)
def test_endpoints_are_written_out(given: str, read: str) -> None:
    assert connection(endpoints=[given]).endpoints == [read]


@pytest.mark.parametrize(
    "endpoint",
    [
        *("", "etcd", "192.0.2.1:2379", "etcd:2379", "unix:///run/etcd", "ftp://a", "http://"),
        *(
            "http://:2379",
            "http://a:b",
            "http://a:0",
            "http://a:99999",
            "http://[::1",
            "http://a b",
        ),
        *("http://a/v3", "http://user@a", "http://user:secret@a", "http://a?x", "http://a#x"),
        *("http://[192.0.2.1]", "http://[fe80::1%eth0]x", "http://é", "http://a\n", "//a"),
    ],
)
def test_what_is_no_endpoint(endpoint: str) -> None:
    with pytest.raises(ValidationError, match=r"is not http://HOST"):
        connection(endpoints=[endpoint])


@pytest.mark.parametrize(
    ("endpoints", "says"),
    [
        ([], "at least one endpoint"),
        (["http://a", "https://b"], "all endpoints are http, or all are https"),
        (["http://a", "http://A:2379"], "http://a:2379 is given twice"),
    ],
)
def test_endpoints_that_do_not_go_together(endpoints: list[str], says: str) -> None:
    with pytest.raises(ValidationError, match=says):
        connection(endpoints=endpoints)


@pytest.mark.parametrize(
    ("given", "read"), [("/clusterf/", "/clusterf"), ("/a/b", "/a/b"), ("/a//", "/a")]
)
def test_prefixes_lose_the_slash_at_their_end(given: str, read: str) -> None:
    assert connection(prefix=given).prefix == read


@pytest.mark.parametrize("prefix", ["", "/", "//", "clusterf", "/a//b", "/a\0", "/a\nb", "//a"])
def test_what_is_no_prefix(prefix: str) -> None:
    with pytest.raises(ValidationError, match="is not an absolute path such as /clusterf"):
        connection(prefix=prefix)


@pytest.mark.parametrize(
    ("facts", "says"),
    [
        ({"user": "a"}, "user and password_file belong together"),
        ({"password_file": "a"}, "user and password_file belong together"),
        ({"user": "", "password_file": "a"}, "at least 1 character"),
        ({"tls": {}}, "needs endpoints of the form https://"),
        ({"endpoints": ["https://a"], "tls": {"cert": "a"}}, "cert and key belong together"),
        ({"endpoints": ["https://a"], "tls": {"key": "a"}}, "cert and key belong together"),
        ({"password": "secret"}, "Extra inputs"),
        ({"timeout": 0}, "greater than or equal to 0.05"),
        ({"timeout": "1h"}, "less than or equal to 600"),
    ],
)
def test_facts_that_do_not_go_together(facts: dict[str, Any], says: str) -> None:
    with pytest.raises(ValidationError, match=says):
        connection(**facts)


def test_files_are_paths() -> None:
    settings = connection(
        endpoints=["https://a"],
        user="director",
        password_file="etc/password",  # noqa: S106 - a path
        tls={"ca": "ca.pem", "cert": "cert.pem", "key": "key.pem"},
    )
    assert settings.password_file == Path("etc/password")
    assert settings.tls is not None
    assert settings.tls.ca == Path("ca.pem")


@pytest.mark.parametrize("relist", [0, "10m"])
def test_lists_may_be_never_repeated(relist: Any) -> None:
    assert EtcdSourceSettings(relist=relist).relist in {0, 600}


@pytest.mark.parametrize("ttl", [1, "1500ms", "2.5s", 3601, "2h"])
def test_what_is_no_ttl(ttl: Any) -> None:
    with pytest.raises(ValidationError):
        EtcdOutputSettings(sources=["a"], ttl=ttl)


@pytest.mark.parametrize(("ttl", "seconds"), [(2, 2), ("10s", 10), ("1h", 3600), (3.0, 3)])
def test_ttls_are_whole_seconds(ttl: Any, seconds: int) -> None:
    assert EtcdOutputSettings(sources=["a"], ttl=ttl).ttl == seconds


@pytest.mark.parametrize("facts", [{}, {"sources": []}, {"sources": [""]}])
def test_an_output_names_what_it_publishes(facts: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        EtcdOutputSettings.model_validate(facts)


@pytest.mark.parametrize("kind", [ConnectionSettings, EtcdSourceSettings, EtcdOutputSettings])
def test_every_option_is_described(kind: type[ConnectionSettings]) -> None:
    for name, field in kind.model_fields.items():
        assert field.description, name
    assert json.dumps(kind.model_json_schema())


@pytest.mark.parametrize("name", ["a\nb", "x" * 256, 7])
def test_an_agents_name_can_stand_in_a_value_and_in_a_log(name: object) -> None:
    with pytest.raises(ValidationError):
        EtcdOutputSettings.model_validate({"sources": ["docker"], "agent": name})
