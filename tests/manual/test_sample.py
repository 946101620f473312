from __future__ import annotations

import pytest

from clusterf.config.settings import CoreTable, DefaultsTable
from clusterf.plugin.settings import Settings
from manual.__main__ import ROOT
from manual.sample import told

SAMPLE = """
## The sample.

[clusterf]
## One.
##
## Two, `x`
## goes on.
##   in_a_table  is left out
# a = 1
# b = 2

## Not of c: a line is between.

c = 3
## Of d.
# d = { e = 1 }

# [sources.x]
## Of a source.
# a = 4
## The second counts not.
# a = 5
"""


def test_the_text_above_a_key_is_of_it() -> None:
    assert told(SAMPLE) == {
        ("clusterf", "a"): ["One.", "Two, `x`\ngoes on."],
        ("clusterf", "b"): ["One.", "Two, `x`\ngoes on."],
        ("clusterf", "d"): ["Of d."],
        ("sources", "a"): ["Of a source."],
    }


@pytest.mark.parametrize(
    ("section", "model"), [("clusterf", CoreTable), ("defaults", DefaultsTable)]
)
def test_the_sample_of_the_project_tells_every_option(section: str, model: type[Settings]) -> None:
    words = told((ROOT / "clusterf.toml").read_text("utf-8"))
    assert [name for name in model.model_fields if (section, name) not in words] == []
