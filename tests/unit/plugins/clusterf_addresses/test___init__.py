from __future__ import annotations

from pathlib import Path
from typing import Any

import clusterf_addresses
from clusterf.config.configuration import Configuration, Instance
from clusterf.plugin import Code, Document, OutputType
from clusterf_addresses.settings import AddressesSettings

TEXT = """\
[outputs.kernel]
type = "ipvs"

[outputs.vips]
type = "addresses"

[outputs.more-vips]
type = "addresses"
interface = "vips0"
"""


def kind() -> OutputType[Any]:
    [one] = clusterf_addresses.clusterf_register_outputs()
    return one


def check(*names: str) -> list[tuple[int, str, str]]:
    outputs = {
        name: Instance(name=name, type=kind(), settings=AddressesSettings()) for name in names
    }
    problems = clusterf_addresses.clusterf_check(
        Configuration(path=Path("clusterf.toml"), outputs=outputs),
        Document.parse("clusterf.toml", TEXT.encode()),
    )
    return [(problem.line, problem.path, problem.code) for problem in problems]


def test_the_type_is_registered_and_follows_the_data_plane() -> None:
    one = kind()
    assert (one.name, one.settings, one.follows) == ("addresses", AddressesSettings, True)


def test_one_output_of_this_type_is_enough() -> None:
    assert check("outputs.vips") == []
    assert check("outputs.vips", "outputs.more-vips") == [
        (7, "outputs.more-vips", Code.CONTRADICTION)
    ]
