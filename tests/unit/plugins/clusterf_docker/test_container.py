from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clusterf.model.address import Address, Family
from clusterf.model.table import Protocol
from clusterf_docker.answer import Unreadable
from clusterf_docker.container import Attachment, Binding, Container, Exposed, read
from tests.unit.plugins.clusterf_docker.fake_docker import described, identifier

ONE = identifier(1)


def seen(**changes: Any) -> Container:
    return read(described("web1", 1, labels={"a": "b"}, **changes), ONE)


def test_a_running_container() -> None:
    container = seen()
    assert container == Container(
        id=ONE,
        name="web1",
        status="running",
        health=None,
        run="2030-01-01T00:00:00.000000001Z",
        stop_signal="SIGTERM",
        stop_timeout=10.0,
        labels={"a": "b"},
        exposed=frozenset({Exposed(80, Protocol.TCP), Exposed(53, Protocol.UDP)}),
        bindings={},
        networks={
            "bridge": Attachment(Address.parse("203.0.113.1"), Address.parse("2001:db8:4::1"))
        },
        mode="default",
    )
    assert container.runs
    assert not container.ended
    assert not container.on_host


@pytest.mark.parametrize(
    ("status", "runs", "ended"),
    [
        ("running", True, False),
        ("paused", True, False),
        ("restarting", False, False),
        ("created", False, False),
        ("removing", False, True),
        ("exited", False, True),
        ("dead", False, True),
        ("something new", False, False),
    ],
)
def test_status(status: str, *, runs: bool, ended: bool) -> None:
    container = seen(State__Status=status)
    assert (container.runs, container.ended) == (runs, ended)


@pytest.mark.parametrize(
    ("health", "expected"),
    [
        (None, None),
        ({"Status": "none"}, None),
        ({"Status": ""}, None),
        ({"Status": "healthy", "Log": [{"Output": "x"}]}, "healthy"),
        ({"Status": "starting"}, "starting"),
    ],
)
def test_health(health: object, expected: str | None) -> None:
    assert seen(State__Health=health).health == expected


def test_bindings_and_ports_that_only_the_network_settings_know() -> None:
    container = seen(
        Config__ExposedPorts=None,
        NetworkSettings__Ports={
            "80/tcp": [
                {"HostIp": "0.0.0.0", "HostPort": "8080"},
                {"HostIp": "::", "HostPort": "8081"},
                {"HostIp": "192.0.2.1", "HostPort": "8082"},
                {"HostIp": "", "HostPort": "8083"},
                {"HostIp": "0.0.0.0", "HostPort": ""},
            ],
            "99/sctp": None,
            "x/tcp": [],
            "70000/tcp": None,
        },
    )
    assert container.bindings == {
        Exposed(80, Protocol.TCP): (
            Binding(Family.INET, None, 8080),
            Binding(Family.INET6, None, 8081),
            Binding(Family.INET, Address.parse("192.0.2.1"), 8082),
            Binding(Family.INET, None, 8083),
        )
    }
    assert container.exposed == {Exposed(80, Protocol.TCP), Exposed(99, Protocol.SCTP)}


def test_what_an_engine_leaves_empty() -> None:
    container = seen(
        Config={"Labels": None, "ExposedPorts": None},
        HostConfig=None,
        NetworkSettings={
            "Networks": {"none": {"IPAddress": "", "GlobalIPv6Address": ""}, "x": None}
        },
    )
    assert container.labels == {}
    assert container.exposed == frozenset()
    assert container.networks == {"none": Attachment(None, None)}
    assert container.mode == ""


@pytest.mark.parametrize(("timeout", "expected"), [(None, 10.0), (-1, 10.0), (0, 0.0), (60, 60.0)])
def test_stop_timeout(timeout: int | None, expected: float) -> None:
    assert seen(Config__StopTimeout=timeout).stop_timeout == expected


@pytest.mark.parametrize("name", ["", "/", "/a b", "/\x1b[31m", "/" + "x" * 200])
def test_a_name_that_is_none_is_replaced_by_the_id(name: str) -> None:
    assert seen(Name=name).name == ONE[:12]


@pytest.mark.parametrize(
    ("changes", "place"),
    [
        ({"Id": "../version"}, "Id"),
        ({"Id": identifier(2)}, "Id: it is another"),
        ({"Name": 3}, "Name"),
        ({"State": None}, "State"),
        ({"State": {}}, "State.Status"),
        ({"Config__Labels": {"a": 1}}, "Config.Labels.a"),
        ({"Config__Labels": "a=b"}, "Config.Labels"),
        ({"Config__StopTimeout": 10**30}, "Config.StopTimeout"),
        ({"Config__StopTimeout": True}, "Config.StopTimeout"),
        ({"NetworkSettings__Networks": []}, "NetworkSettings.Networks"),
        ({"NetworkSettings__Networks": {"a": {"IPAddress": 5}}}, "NetworkSettings.Networks.a"),
        ({"NetworkSettings__Networks": {"a": {"IPAddress": "1.2.3"}}}, '"1.2.3" is not an IP'),
        ({"NetworkSettings__Ports": {"80/tcp": {}}}, "NetworkSettings.Ports.80/tcp"),
        ({"State__Status": "\ud800"}, "State.Status"),
    ],
)
def test_what_is_not_as_the_api_says(changes: dict[str, Any], place: str) -> None:
    with pytest.raises(Unreadable) as caught:
        seen(**changes)
    assert str(caught.value).startswith(place)
    assert str(caught.value).isprintable()


@pytest.mark.parametrize("answer", [None, [], "", 3, {}, {"Id": ONE}])
def test_answers_of_another_shape(answer: object) -> None:
    with pytest.raises(Unreadable):
        read(answer, ONE)


ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=10,
)
PATHS = [
    *("Name", "State", "State__Status", "State__Health", "State__StartedAt", "Config"),
    *("Config__Labels", "Config__ExposedPorts", "Config__StopSignal", "Config__StopTimeout"),
    *("HostConfig", "HostConfig__NetworkMode", "NetworkSettings", "NetworkSettings__Ports"),
    *("NetworkSettings__Networks", "Id"),
]


@given(ANY_JSON)
def test_no_json_at_all_breaks_the_reading(answer: object) -> None:
    with pytest.raises(Unreadable):
        read(answer, ONE)


@given(st.dictionaries(st.sampled_from(PATHS), ANY_JSON, max_size=1))
def test_no_part_breaks_the_reading(changes: dict[str, Any]) -> None:
    try:
        container = seen(**changes)
    except Unreadable:
        return
    assert container.id == ONE
