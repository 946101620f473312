"""Tables of sources that inherit what services and backends may say of forwarding."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from pydantic import ValidationError

from clusterf.model.provenance import Provenance
from clusterf.model.service import Backend, Ports, ServiceSpec, StickyClients
from clusterf.model.table import Method, Tunnel, TunnelType
from clusterf.plugin import BackendOverrides, Code, Fault, ServiceOverrides
from clusterf.plugin.faults import faults_of

_WHERE = Provenance("static", "services.web")
_BACKEND = Backend("web", "web1", Ports(80), _WHERE, weight=5, quiesced="unhealthy")
_SPEC = ServiceSpec("web", _WHERE, 7, (), scheduler="rr")

_OF_BOTH = {
    "weight": 3,
    "method": "tunnel",
    "tunnel": "gre",
    "upper_threshold": 20,
    "lower_threshold": 10,
}


class _Server(BackendOverrides):
    rack: str = ""

    def faults(self) -> Iterator[Fault]:
        yield from super().faults()
        if not self.rack:
            yield Fault(("rack",), "is empty")


def test_a_backend_has_what_its_table_says_and_keeps_the_rest() -> None:
    table = BackendOverrides.model_validate(_OF_BOTH)
    assert table.over(_BACKEND) == _BACKEND._replace(
        weight=3,
        method=Method.TUNNEL,
        tunnel=Tunnel(TunnelType.GRE),
        upper_threshold=20,
        lower_threshold=10,
    )


def test_what_a_table_leaves_out_is_for_others_to_say() -> None:
    assert BackendOverrides().over(_BACKEND) == _BACKEND._replace(weight=None)
    assert ServiceOverrides().over_service(_SPEC) == _SPEC._replace(scheduler=None)


def test_a_service_has_the_fields_of_both() -> None:
    own = {"scheduler": "sh", "flags": ["sh-port"], "persistence": "5m", "elide": True}
    table = ServiceOverrides.model_validate(_OF_BOTH | own)
    assert table.over_service(_SPEC) == table.over(_SPEC)._replace(
        scheduler="sh", flags=frozenset({"sh-port"}), persistence=StickyClients(300), elide=True
    )
    assert table.over(_SPEC).method is Method.TUNNEL


@pytest.mark.parametrize(
    ("model", "values", "at", "code"),
    [
        (
            BackendOverrides,
            {"upper_threshold": 1, "lower_threshold": 2},
            ("lower_threshold",),
            Code.THRESHOLDS,
        ),
        (
            ServiceOverrides,
            {"scheduler": "rr", "flags": ["mh-port"]},
            ("flags",),
            Code.FLAG_WITHOUT_SCHEDULER,
        ),
    ],
)
def test_contradictions(
    model: type[BackendOverrides], values: dict[str, object], at: tuple[str, ...], code: Code
) -> None:
    with pytest.raises(ValidationError) as caught:
        model.model_validate(values)
    assert [(one.at, one.code) for one in faults_of(caught.value, model, values)] == [(at, code)]


def test_a_table_with_more_fields_adds_its_faults() -> None:
    values = {"upper_threshold": 1, "lower_threshold": 2, "rack": ""}
    with pytest.raises(ValidationError) as caught:
        _Server.model_validate(values)
    found = faults_of(caught.value, _Server, values)
    assert [one.at for one in found] == [("lower_threshold",), ("rack",)]
