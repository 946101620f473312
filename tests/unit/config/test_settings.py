from __future__ import annotations

import pytest
from pydantic import ValidationError

from clusterf.config.settings import CoreTable, managed_faults
from clusterf.model.problem import Code, Severity
from clusterf.plugin.faults import faults_of


def test_a_socket_has_at_most_107_bytes() -> None:
    data = {"managed": [], "control": "/run/" + "x" * 102}
    assert len(bytes(CoreTable.model_validate(data).control)) == 107
    data = {"managed": [], "control": "/run/" + "x" * 103}
    with pytest.raises(ValidationError) as caught:
        CoreTable.model_validate(data)
    assert [fault.at for fault in faults_of(caught.value, CoreTable, data)] == [("control",)]


def test_a_prefix_given_twice() -> None:
    core = CoreTable.model_validate({"managed": ["::1", "192.0.2.1", "192.0.2.1/32"]}).value()
    assert [fault.at for fault in managed_faults(core)] == [("managed", 2)]


@pytest.mark.parametrize(
    ("table", "found"),
    [
        ({"managed": ["192.0.2.0/24", "2001:db8::/32", "0.0.0.1"]}, []),
        ({"managed": ["::/0"]}, [(("managed", 0), Code.ALL_MANAGED)]),
        ({"managed": ["192.0.2.9", "192.0.2.0/24"]}, [(("managed", 0), Code.CONTRADICTION)]),
        ({"managed": ["192.0.2.0/24", "192.0.2.0/25"]}, [(("managed", 1), Code.CONTRADICTION)]),
        ({"managed": [], "start_wait": "1h"}, []),
        ({"managed": [], "start_wait": 10000}, [(("start_wait",), Code.OUT_OF_RANGE)]),
    ],
)
def test_what_is_hardly_meant(
    table: dict[str, object], found: list[tuple[tuple[object, ...], Code]]
) -> None:
    faults = list(managed_faults(CoreTable.model_validate(table).value()))
    assert [(fault.at, fault.code) for fault in faults] == found
    assert all(fault.severity is Severity.WARNING for fault in faults)
