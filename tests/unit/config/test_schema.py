from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Annotated, Any

import pytest
from jsonschema import Draft202012Validator
from pydantic import BeforeValidator, Field

from clusterf.config.schema import DRAFT, json_schema
from clusterf.model.address import Address
from clusterf.plugin import Duration, OutputType, Settings
from clusterf.plugin.loader import Registry, load_plugins
from tests.unit.config.test_effective import RICH

ROOT = Path(__file__).parents[3]
CORE = '[clusterf]\nmanaged = ["192.0.2.0/24"]\n'


@pytest.fixture(scope="module")
def validator() -> Draft202012Validator:
    schema = json_schema(load_plugins())
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema)


def refused(validator: Draft202012Validator, text: str) -> list[str]:
    """Places of what is refused."""
    return [error.json_path for error in validator.iter_errors(tomllib.loads(text))]


def uncommented(text: str) -> str:
    """A sample with every option that it shows as a comment."""
    lines = (line.removeprefix("# ") for line in text.splitlines() if line[:3] != "## ")
    return "\n".join(lines)


SAMPLES = [ROOT / "clusterf.toml", *sorted((ROOT / "plugins").glob("*/sample.toml"))]


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda path: path.parent.name)
def test_the_samples_are_valid(sample: Path, validator: Draft202012Validator) -> None:
    text = sample.read_text()
    assert refused(validator, text if "[clusterf]" in text else CORE + text) == []


def test_what_uses_everything_is_valid(validator: Draft202012Validator) -> None:
    assert refused(validator, RICH) == []


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("", "$"),
        ("[clusterf]\n", "$.clusterf"),
        (CORE + "[output.a]\n", "$"),
        (CORE + 'start_wait = "5 s"\n', "$.clusterf.start_wait"),
        (CORE + "start_wait = -1\n", "$.clusterf.start_wait"),
        (CORE + '[defaults]\nscheduler = "wlcc"\n', "$.defaults.scheduler"),
        (CORE + "[outputs.k]\n", "$.outputs.k"),
        (CORE + '[outputs.k]\ntype = "docker"\n', "$.outputs.k"),
        (CORE + '[outputs.k]\ntype = "ipvs"\ndrian = 5\n', "$.outputs.k"),
        (CORE + '[outputs.k]\ntype = "ipvs"\nbatch = 0\n', "$.outputs.k"),
        (CORE + '[outputs.k]\ntype = "ipvs"\ndrain_poll = 0\n', "$.outputs.k"),
        (CORE + "[policies]\n", "$.policies"),
        (CORE + '[services.web]\nfrontend = { ipv4 = "::1", tcp = 80 }\n',
         "$.services.web.frontend.ipv4"),
        (CORE + "[services.web]\nbackends = [80]\n", "$.services.web.backends[0]"),
        (CORE + '[routes.r]\nprefix = "rack"\n', "$.routes.r.prefix"),
    ],
)  # fmt: skip
def test_what_is_refused_is_refused_at_its_place(
    text: str, place: str, validator: Draft202012Validator
) -> None:
    assert refused(validator, text) == [place]


def test_every_option_is_described(validator: Draft202012Validator) -> None:
    schema: dict[str, Any] = validator.schema  # type: ignore[assignment]
    tables = [
        schema["properties"]["clusterf"],
        schema["properties"]["defaults"],
        *(one for one in schema["$defs"].values() if "const" in one["properties"].get("type", ())),
    ]
    for table in tables:
        for name, option in table["properties"].items():
            assert option.get("description"), name


def test_there_is_no_null_and_nothing_of_pydantic(validator: Draft202012Validator) -> None:
    text = repr(validator.schema)
    for word in ("'null'", "'title': 'C", "'ge':", "prefixItems"):
        assert word not in text
    assert validator.schema["$schema"] == DRAFT  # type: ignore[index]


class Own:
    """A type of a plugin's own."""


class Odd(Settings):
    anything: Annotated[Own | None, BeforeValidator(lambda _: Own())] = None
    address: Address = Address(bytes(4))
    wait: Annotated[Duration, Field(gt=0, le=9)] = 1.0


def test_what_has_no_form_can_be_anything() -> None:
    registry = Registry()
    registry.outputs["odd"] = OutputType(
        name="odd",
        settings=Odd,
        create=lambda *_: None,  # type: ignore[arg-type,return-value]
        summary="odd",
    )
    schema = json_schema(registry)
    odd = schema["$defs"]["outputs.odd"]["properties"]
    assert odd["anything"] == {}
    assert (odd["wait"]["exclusiveMinimum"], odd["wait"]["maximum"]) == (0, 9)
    check = Draft202012Validator(schema)
    text = CORE + '[outputs.o]\ntype = "odd"\nanything = [1]\n'
    assert refused(check, text) == []
    # No plugin is loaded that brings a source.
    assert refused(check, text + '[sources.a]\ntype = "static"\n') == ["$.sources"]
