from __future__ import annotations

import tomllib

import pytest

from clusterf.config.explanations import FRAME, Explanation, framed
from clusterf.model.problem import Code


@pytest.mark.parametrize(
    ("example", "added"),
    [
        ("", [0, 1, 2]),
        ("[defaults]\n", [0, 1, 2]),
        ("[clusterf]\nmanaged = []\n", [1, 2]),
        ("[services.web]\n", [0, 1]),
        ('[sources.x]\ntype = "y"\n', [0, 1]),
        ("[clusterf]\nmanaged = []\n[outputs.a]\n[[policies]]\n", [2]),
    ],
)
def test_what_every_configuration_has_is_added_where_it_is_not_said(
    example: str, added: list[int]
) -> None:
    text = framed(example)
    tomllib.loads(text)
    assert text.endswith(example)
    assert [index for index, part in enumerate(FRAME) if part in text] == added


def test_a_whole_example_stays_as_it_is() -> None:
    one = Explanation(code=Code.SYNTAX, what="", why="", example="[a]\n", remedy="", whole=True)
    assert one.configuration() == "[a]\n"
