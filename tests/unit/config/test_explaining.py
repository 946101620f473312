"""The words are tested in tests/meta/test_checks_page.py."""

from __future__ import annotations

import pytest

from clusterf.config.explaining import UnknownCode, as_text, find, page
from clusterf.config.explanations import Explanation
from clusterf.model.problem import Code


@pytest.mark.parametrize("word", ["C101", "c101", "unknown-key", "Unknown-Key"])
def test_a_code_is_found_by_its_number_and_by_its_name(word: str) -> None:
    assert find(word).code is Code.UNKNOWN_KEY


@pytest.mark.parametrize(
    ("word", "hint"),
    [("C1O1", "such as C104"), ("unknown-kye", 'did you mean "unknown-key"?'), ("", "such as")],
)
def test_another_word_is_told_what_is_near(word: str, hint: str) -> None:
    with pytest.raises(UnknownCode) as caught:
        find(word)
    assert caught.value.hint.startswith(hint)
    assert caught.value.exit_code == 2


ONE = Explanation(
    code=Code.NOT_UTF8,
    what="What `it` is.",
    why="Why it is so.",
    example="# ö\n",
    encoding="latin-1",
    files={"plugins/a.py": "pass\n", "b.toml": "c = 1\n"},
    remedy="What to do.",
)


def test_text() -> None:
    assert as_text(ONE) == (
        "C002 not-utf8 (syntax)\n\nWhat it is.\n\nWhy it is so.\n\nSaved in latin-1:\n\n"
        "    # ö\n\nand plugins/a.py:\n\n    pass\n\nand b.toml:\n\n    c = 1\n\nWhat to do.\n"
    )


def test_page() -> None:
    text = page([ONE])
    assert "\n## Syntax\n\nWhether the files" in text
    assert text.endswith(
        "\n### C002 not-utf8\n\nWhat `it` is. Why it is so. Saved in latin-1:\n\n"
        "```toml\n# ö\n```\n\nand `plugins/a.py`:\n\n```python\npass\n```\n\n"
        "and `b.toml`:\n\n```toml\nc = 1\n```\n\nWhat to do.\n"
    )
