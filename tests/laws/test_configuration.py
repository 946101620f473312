"""Laws of whole configurations: of their schema, and of what they are written as."""

from __future__ import annotations

import copy
import datetime as dt
import tempfile
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from hypothesis import event, given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from clusterf.config.check import check_offline
from clusterf.config.effective import effective
from clusterf.config.load import load_configuration
from clusterf.config.schema import json_schema
from clusterf.config.writing import Table, write_toml
from clusterf.model.problem import has_errors
from clusterf.plugin.loader import load_plugins
from tests.unit.config.test_effective import RICH

REGISTRY = load_plugins()
SCHEMA = Draft202012Validator(json_schema(REGISTRY))

ODD = (
    "", "x", "5m", "5 m", "1d2h", "250ms", "192.0.2.9", "192.0.2.0/24", "192.0.2.1/24", "::1",
    "2001:db8::/32", "300.0.0.1", "198.51.100.1:80", "[2001:db8::1]:80", "web:80", "masq", "rr",
    "gue", "static", "ipvs", "docker", "auto", "fail", 0, 1, -1, 80, 65536, 2**31, 2**40, 0.5, 1.0,
    1e300, float("inf"), True, False, [], [1], ["a"], ["198.51.100.1:80"], [{}], {}, {"a": 1},
    {"timeout": 5}, {"type": "gue"}, {"ipv4": "192.0.2.1", "tcp": 80}, dt.date(2026, 1, 1),
)  # fmt: skip


def places(value: Any, at: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """Ways to every value below."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield (*at, key)
            yield from places(inner, (*at, key))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield (*at, index)
            yield from places(inner, (*at, index))


@st.composite
def configurations(draw: st.DrawFn) -> dict[str, Any]:
    """One that uses every option, with a few values exchanged, taken away or added."""
    data: dict[str, Any] = tomllib.loads(RICH)
    for _ in range(draw(st.integers(0, 3))):
        known = list(places(data))
        *above, last = draw(st.sampled_from(known))
        holder: Any = data
        for part in above:
            holder = holder[part]
        match draw(st.sampled_from(["exchange", "exchange", "remove", "add", "move"])):
            case "exchange":
                holder[last] = copy.deepcopy(draw(st.sampled_from(ODD)))
            case "remove":
                del holder[last]
            case "add" if isinstance(holder, dict):
                name = draw(st.sampled_from([str(one[-1]) for one in known]))
                holder[name] = copy.deepcopy(draw(st.sampled_from(ODD)))
            case _ if isinstance(holder, dict):
                holder[draw(st.sampled_from(["x", "a b", 'q"', ""]))] = holder.pop(last)
    return data


@given(configurations())
def test_what_the_schema_refuses_check_refuses(data: dict[str, Any]) -> None:
    refused = not SCHEMA.is_valid(data)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "clusterf.toml")
        path.write_text(write_toml(data))
        errors = has_errors(check_offline(path, REGISTRY)[1])
    event(f"schema {refused}, check {errors}")
    assert errors or not refused


@given(configurations())
def test_the_effective_configuration_is_the_same_configuration(data: dict[str, Any]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "clusterf.toml")
        path.write_text(write_toml(data))
        before, _ = load_configuration(path, REGISTRY)
        event(f"right: {before is not None}")
        if before is None:
            return
        path.write_text(write_toml(effective(data, REGISTRY)))
        assert load_configuration(path, REGISTRY)[0] == before
        assert SCHEMA.is_valid(tomllib.loads(path.read_text()))


VALUES = st.recursive(
    st.one_of(
        st.text(st.characters(exclude_categories=["Cs"])),
        st.integers(-(2**63), 2**63 - 1),
        st.booleans(),
        st.floats(allow_nan=False),
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), inner, max_size=3),
    ),
    max_leaves=8,
)


@given(st.dictionaries(st.text("ab.\"' é\x7f\n", max_size=3), VALUES, max_size=4))
def test_whatever_toml_can_say_is_written(values: dict[str, Any]) -> None:
    assert tomllib.loads(write_toml(values)) == values
    tables = {key: Table(inner=Table(values)) for key in values}
    assert tomllib.loads(write_toml(tables)) == tables
