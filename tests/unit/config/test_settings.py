from __future__ import annotations

import pytest
from pydantic import ValidationError

from clusterf.config.settings import CoreTable, managed_faults
from clusterf.plugin.faults import faults_of


def test_a_socket_has_at_most_107_bytes() -> None:
    data = {"managed": [], "control": "/run/" + "x" * 102}
    assert len(bytes(CoreTable.model_validate(data).control)) == 107
    data = {"managed": [], "control": "/run/" + "x" * 103}
    with pytest.raises(ValidationError) as caught:
        CoreTable.model_validate(data)
    assert [fault.at for fault in faults_of(caught.value, CoreTable, data)] == [("control",)]


def test_a_prefix_given_twice() -> None:
    core = CoreTable.model_validate({"managed": ["::/0", "192.0.2.1", "192.0.2.1/32"]}).value()
    assert [fault.at for fault in managed_faults(core)] == [("managed", 2)]
