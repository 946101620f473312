"""Options of the output, and the sample that shows them."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest
from pydantic import ValidationError

import clusterf_ipvs
from clusterf_ipvs.settings import IpvsSettings

SAMPLE = Path(clusterf_ipvs.__file__).with_name("sample.toml")


def test_durations_have_units() -> None:
    settings = IpvsSettings.model_validate({"drain": "2m", "drain_poll": "250ms", "batch": 64})
    assert (settings.drain, settings.drain_poll, settings.batch) == (120.0, 0.25, 64)


@pytest.mark.parametrize(
    "table",
    [
        {"drain": "soon"},
        {"drain": -1},
        {"drain_poll": 0},
        {"batch": 0},
        {"batch": 5000},
        {"batch": "many"},
        {"deadline": "0s"},
        {"dran": "1m"},
    ],
)
def test_nonsense_is_refused(table: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        IpvsSettings.model_validate(table)


def test_the_sample_names_every_option_with_its_default() -> None:
    text = SAMPLE.read_text(encoding="utf-8")
    for line in text.splitlines():
        if line.startswith("# "):
            text = text.replace(line, line.removeprefix("# "))
    table = tomllib.loads(text)["outputs"]["kernel"]
    assert table.pop("type") == "ipvs"
    assert set(table) == set(IpvsSettings.model_fields)
    assert IpvsSettings.model_validate(table) == IpvsSettings()
