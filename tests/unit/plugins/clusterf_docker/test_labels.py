from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clusterf.model.table import WEIGHT_MAX, Protocol
from clusterf_docker.labels import LONG, SHORT, Request, concerns, read, shown

PREFIXES = pytest.mark.parametrize("prefix", [SHORT, LONG])


def ports(request: Request) -> dict[str, dict[str, int]]:
    return {
        joining.service: {str(protocol): one.port for protocol, one in joining.ports.items()}
        for joining in request.joinings
    }


def weights(request: Request) -> dict[str, int | None]:
    return {joining.service: joining.weight for joining in request.joinings}


@PREFIXES
def test_labels_of_both_prefixes(prefix: str) -> None:
    request = read(
        {
            f"{prefix}service": " web\tapi web\n",
            f"{prefix}backend.tcp": "80",
            f"{prefix}backend.udp": "53",
            f"{prefix}backend.sctp": "99",
            f"{prefix}backend:api.tcp": " 8080 ",
            f"{prefix}weight": "20",
            f"{prefix}backend:api.weight": "0",
            f"{prefix}network": "front",
            "org.example.clusterf.service": "other",
        },
        None,
    )
    assert ports(request) == {
        "web": {"tcp": 80, "udp": 53, "sctp": 99},
        "api": {"tcp": 8080, "udp": 53, "sctp": 99},
    }
    assert weights(request) == {"web": 20, "api": 0}
    assert request.network is not None
    assert request.network.value == "front"
    assert request.objections == ()


def test_a_service_with_dots_and_colons_in_its_name() -> None:
    labels = {"clusterf.service": "a.b:c", "clusterf.backend:a.b:c.tcp": "80"}
    request = read(labels, None)
    assert ports(request) == {"a.b:c": {"tcp": 80}}
    assert request.objections == ()


def test_the_short_prefix_wins_and_the_difference_is_told() -> None:
    request = read(
        {
            "clusterf.service": "web",
            "net.qmsk.clusterf.service": "web",
            "clusterf.backend.tcp": "80",
            "net.qmsk.clusterf.backend.tcp": "81",
        },
        None,
    )
    assert ports(request) == {"web": {"tcp": 80}}
    [objection] = request.objections
    assert objection.reason == "label_conflict"
    assert objection.label == "net.qmsk.clusterf.backend.tcp"
    assert objection.detail == "says '81' where clusterf.backend.tcp says '80', which counts"


def test_a_label_for_one_service_counts_whatever_its_prefix() -> None:
    request = read(
        {
            "clusterf.service": "web",
            "clusterf.backend.tcp": "80",
            "net.qmsk.clusterf.backend:web.tcp": "81",
        },
        None,
    )
    assert ports(request) == {"web": {"tcp": 81}}


@pytest.mark.parametrize(
    "value",
    ["", "http", "0", "65536", "-1", "+80", "080", "80 81", "8_0", "٨٠", "80/udp", "1" * 5000],
)
def test_a_bad_port_is_one_objection(value: str) -> None:
    request = read(
        {"clusterf.service": "web", "clusterf.backend.tcp": value, "clusterf.backend.udp": "53"},
        None,
    )
    [objection] = request.objections
    assert (objection.label, objection.reason) == ("clusterf.backend.tcp", "bad_label")
    assert len(objection.detail) < 100
    assert ports(request) == {"web": {"udp": 53}}
    assert request.joinings[0].objected


def test_a_port_with_its_protocol_gets_a_hint() -> None:
    request = read({"clusterf.service": "web", "clusterf.backend.tcp": "80/tcp"}, None)
    assert request.objections[0].hint == "write 80"


def test_a_bad_port_of_one_service_is_not_replaced_by_the_general_one() -> None:
    request = read(
        {
            "clusterf.service": "web admin",
            "clusterf.backend.tcp": "80",
            "clusterf.backend:admin.tcp": "8o80",
        },
        None,
    )
    assert ports(request) == {"web": {"tcp": 80}, "admin": {}}
    assert [one.objected for one in request.joinings] == [False, True]


@pytest.mark.parametrize("value", ["", "heavy", "-1", "1.5", str(WEIGHT_MAX + 1)])
def test_a_bad_weight_counts_as_none(value: str) -> None:
    labels = {"clusterf.service": "web api", "clusterf.weight": "7"}
    request = read({**labels, "clusterf.backend:api.weight": value}, None)
    assert weights(request) == {"web": 7, "api": 7}
    assert [one.reason for one in request.objections] == ["bad_label"]


def test_the_largest_weight() -> None:
    labels = {"clusterf.service": "web", "clusterf.weight": str(WEIGHT_MAX)}
    assert weights(read(labels, None)) == {"web": WEIGHT_MAX}


@pytest.mark.parametrize(
    ("label", "hint"),
    [
        ("clusterf.servce", "did you mean clusterf.service"),
        ("net.qmsk.clusterf.services", "did you mean net.qmsk.clusterf.service"),
        ("clusterf.backend.tpc", "did you mean clusterf.backend.tcp"),
        ("clusterf.backend:web.wieght", "did you mean 'clusterf.backend:web.weight'"),
        ("clusterf.backend:web", "after the service comes one of .tcp, .udp, .sctp, .weight"),
        ("clusterf.backend:.tcp", "between the colon and the last dot stands"),
        ("clusterf.frontend.ipv4", "known are service, network, weight"),
    ],
)
def test_an_unknown_label_is_reported(label: str, hint: str) -> None:
    request = read({label: "80"}, None)
    [objection] = request.objections
    assert (objection.label, objection.reason) == (label, "unknown_label")
    assert objection.hint.startswith(hint)


def test_a_label_for_a_service_that_is_not_joined_is_reported() -> None:
    labels = {"clusterf.service": "website", "clusterf.backend:webside.tcp": "80"}
    [objection] = read(labels, None).objections
    assert objection.reason == "unknown_label"
    assert objection.hint == "did you mean 'website'"


def test_port_labels_without_any_service_are_silent() -> None:
    labels = {"clusterf.backend.tcp": "80", "clusterf.backend:web.tcp": "81"}
    assert read(labels, None) == Request()


@pytest.mark.parametrize("name", ["a/b", "x" * 129, "a\x00b", "\u202eweb", "\ud800"])
def test_what_is_no_name_of_a_service(name: str) -> None:
    labels = {"clusterf.service": f"{name} web", "clusterf.backend.tcp": "80"}
    request = read(labels, None)
    assert ports(request) == {"web": {"tcp": 80}}
    [objection] = request.objections
    assert objection.reason == "bad_label"
    assert objection.detail.isprintable()


def test_only_allowed_services_may_be_joined() -> None:
    labels = {"clusterf.service": "web api-1 admin", "clusterf.backend.tcp": "80"}
    request = read(labels, ["web", "api-*"])
    assert set(ports(request)) == {"web", "api-1"}
    [objection] = request.objections
    assert objection.reason == "service_not_allowed"
    assert "'admin'" in objection.detail
    assert read(labels, []).joinings == ()


@pytest.mark.parametrize(
    ("labels", "expected"),
    [
        (["clusterf.service"], True),
        (["net.qmsk.clusterf.x"], True),
        (["clusterf", "xclusterf.service", "Clusterf.service"], False),
        ([3, None], False),
        ([], False),
    ],
)
def test_concerns(labels: list[object], *, expected: bool) -> None:
    assert concerns(labels) is expected


KEYS = st.builds(
    lambda prefix, rest: prefix + rest,
    st.sampled_from([SHORT, LONG, ""]),
    st.sampled_from(["service", "network", "weight", "backend.tcp", "backend:web.tcp", "backend:"])
    | st.text(max_size=12),
)
VALUES = st.sampled_from(["80", "web", "web api", "", "70000"]) | st.text()


@given(st.dictionaries(KEYS, VALUES), st.none() | st.lists(st.text(max_size=4), max_size=3))
def test_no_labels_break_the_reading(labels: dict[str, str], allowed: list[str] | None) -> None:
    request = read(labels, allowed)
    for joining in request.joinings:
        assert joining.service.isprintable()
        assert all(1 <= one.port <= 65535 for one in joining.ports.values())
        assert all(isinstance(protocol, Protocol) for protocol in joining.ports)
        assert joining.weight is None or 0 <= joining.weight <= WEIGHT_MAX
    for objection in request.objections:
        assert objection.label in labels
        assert objection.reason in {
            *("bad_label", "unknown_label", "label_conflict", "service_not_allowed")
        }


@given(st.text())
def test_shown_text_is_fit_for_a_log_line(text: str) -> None:
    assert shown(text).isprintable()
    assert len(shown(text)) < 700
