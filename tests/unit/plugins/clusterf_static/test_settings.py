from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from clusterf.plugin import faults_of
from clusterf_static.settings import StaticSettings


@pytest.mark.parametrize(
    ("data", "at"),
    [
        ({}, ()),
        ({"path": ""}, ("path",)),
        ({"path": "x", "services": {}}, ("path",)),
        ({"path": "x", "routes": {}}, ("path",)),
        ({"path": "x", "look": 0.5}, ("look",)),
        ({"services": {"web": {"backends": ["x"]}}}, ("services", "web", "backends", 0)),
        ({"services": []}, ("services",)),
    ],
)
def test_fault(data: dict[str, Any], at: tuple[object, ...]) -> None:
    with pytest.raises(ValidationError) as caught:
        StaticSettings.model_validate(data)
    assert [fault.at for fault in faults_of(caught.value, StaticSettings, data)] == [at]


def test_in_place_is_what_was_given() -> None:
    assert StaticSettings.model_validate({"routes": {}}).inline() == {"routes": {}}
