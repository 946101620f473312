from __future__ import annotations

import pytest

from clusterf.config.misplaced import core_keys_elsewhere, whereabouts


@pytest.mark.parametrize(
    ("key", "value", "hint"),
    [
        ("managed", ["192.0.2.0/24"], "it belongs to [clusterf]"),
        ("scheduler", "wlc", "it belongs to [defaults]"),
        ("tunnel", {"type": "gre"}, "it belongs to [defaults]"),
        ("backends", [], "it belongs to [services.NAME]"),
        ("gateway", "192.0.2.1", "it belongs to [routes.NAME]"),
        ("global", {"managed": []}, "did you mean [clusterf]?"),
        ("global", {"maxconn": 1}, ""),
        ("nothing", 1, ""),
    ],
)
def test_where_a_key_belongs(key: str, value: object, hint: str) -> None:
    assert whereabouts(key, value) == hint


@pytest.mark.parametrize(
    ("data", "elsewhere"),
    [
        ({}, False),
        ({"global": {"maxconn": 1}}, False),
        ({"managed": []}, True),
        ({"clusterF": {"managed": []}}, True),
    ],
)
def test_what_must_stand_in_the_core_stands_elsewhere(
    data: dict[str, object], *, elsewhere: bool
) -> None:
    assert core_keys_elsewhere(data) is elsewhere
