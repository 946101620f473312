from __future__ import annotations

import datetime as dt
import tomllib
from typing import Any

import pytest

from clusterf.config.writing import NotWritable, Table, write_toml


def test_tables_have_headers_and_other_dictionaries_are_inline() -> None:
    text = write_toml(
        {
            "policies": [Table(type="routes", routes=[{"name": "a", "prefix": "192.0.2.0/24"}])],
            "services": Table(web=Table(frontend={"ipv4": "192.0.2.1", "tcp": 80})),
            "version": 1,
        }
    )
    assert text == (
        'version = 1\n\n[[policies]]\ntype = "routes"\n'
        'routes = [{ name = "a", prefix = "192.0.2.0/24" }]\n\n'
        '[services.web]\nfrontend = { ipv4 = "192.0.2.1", tcp = 80 }\n'
    )


def test_a_long_array_has_a_line_for_each_value() -> None:
    text = write_toml({"managed": [f"192.0.{number}.0/24" for number in range(20)]})
    assert text.startswith('managed = [\n  "192.0.0.0/24",\n')
    assert max(map(len, text.splitlines())) < 30


@pytest.mark.parametrize(
    "value",
    [
        "",
        'a"b\\c\n\t',
        "\x00\x1f\x7f\x85\u2028\U0001f600",
        ["a:80", {"address": "192.0.2.1"}],
        [[1, 2], ["x"], []],
        {},
        [{}],
        {"a.b": {"": 1, "c d": [True, 1.5]}},
        1e16,
        1e-7,
        -0.0,
        float("inf"),
        dt.date(2026, 11, 23),
        dt.datetime(2026, 11, 23, 7, 0, tzinfo=dt.UTC),
    ],
    ids=repr,
)
def test_what_the_library_loses_is_kept(value: Any) -> None:
    assert tomllib.loads(write_toml({"key": value})) == {"key": value}
    whole = {"outputs": Table({"my own": Table({'k"': value})})}
    assert tomllib.loads(write_toml(whole)) == whole


@pytest.mark.parametrize("value", [None, [None], {"a": None}, float("nan"), "\ud800"])
def test_what_has_no_form_is_refused(value: Any) -> None:
    with pytest.raises(NotWritable):
        write_toml({"key": value})
