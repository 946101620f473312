from __future__ import annotations

import pytest

from clusterf.model.errors import (
    ClusterfError,
    OutputUnavailable,
    PluginLoadError,
    SourceUnavailable,
)


def test_an_error_is_one_line_with_its_hint() -> None:
    assert str(ClusterfError("socket x: busy")) == "socket x: busy"
    assert str(ClusterfError("socket x: busy", hint="wait")) == "socket x: busy (hint: wait)"
    assert ClusterfError("m", hint="h").args == ("m",)


@pytest.mark.parametrize(
    ("kind", "code"),
    [(ClusterfError, 70), (SourceUnavailable, 69), (OutputUnavailable, 69), (PluginLoadError, 78)],
)
def test_each_kind_ends_a_command_with_its_own_code(kind: type[ClusterfError], code: int) -> None:
    assert kind("m").exit_code == code
    assert issubclass(kind, ClusterfError)
