"""docs/checks.md: a section for every code, whose example has exactly that problem.

The page is made of ``clusterf/config/explanations``. To write it anew::

    REGENERATE=1 .venv/bin/python -m pytest tests/meta/test_checks_page.py -q -p no:randomly
"""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from clusterf.cli.loading import registry_for
from clusterf.cli.probing import probe
from clusterf.config.check import check_offline
from clusterf.config.explaining import as_text, page
from clusterf.config.explanations import EXPLANATIONS, Explanation
from clusterf.model.problem import Code, Problem, Tier

PAGE = Path(__file__).parents[2] / "docs" / "checks.md"


def problems(one: Explanation, folder: Path) -> list[Problem]:
    """Those of its example, saved as the page says."""
    path = folder / "clusterf.toml"
    path.write_bytes(one.configuration().encode(one.encoding))
    for name, text in one.files.items():
        file = folder / name
        file.parent.mkdir(exist_ok=True)
        file.write_text(text)
        file.chmod(0o644)
    reading, found = check_offline(path, registry_for(path, bundled_only=False))
    if one.code.tier is Tier.ENVIRONMENT and reading is not None:
        found += probe(reading, 0.2 if one.code is Code.PROBE_TIMEOUT else 30)
    return found


@pytest.mark.parametrize("one", EXPLANATIONS, ids=lambda one: str(one.code))
def test_the_example_has_exactly_the_problem_that_it_stands_for(
    one: Explanation, tmp_path: Path
) -> None:
    assert {problem.code for problem in problems(one, tmp_path)} == {one.code}


def test_every_code_has_a_section_in_their_order() -> None:
    assert [one.code for one in EXPLANATIONS] == list(Code)
    headings = re.findall(r"^### (C\d+) (\S+)$", PAGE.read_text(), re.MULTILINE)
    assert headings == [(str(code), code.words) for code in Code]


def test_the_page_is_that_of_the_program() -> None:
    if os.environ.get("REGENERATE"):
        PAGE.write_text(page())
    assert PAGE.read_text() == page()


@pytest.mark.parametrize("one", EXPLANATIONS, ids=lambda one: str(one.code))
def test_the_words_are_sentences(one: Explanation) -> None:
    for text in (one.what, one.why, one.remedy):
        assert text.endswith((".", "`."))
        assert "  " not in text
    assert max(map(len, as_text(one).splitlines())) <= 100


def test_an_example_without_its_problem_is_caught(tmp_path: Path) -> None:
    first = next(one for one in EXPLANATIONS if one.code is Code.UNKNOWN_KEY)
    mended = Explanation(
        code=first.code,
        what=first.what,
        why=first.why,
        example=first.example.replace("wieght", "weight"),
        remedy=first.remedy,
    )
    assert problems(mended, tmp_path) == []
