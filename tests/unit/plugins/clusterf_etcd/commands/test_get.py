from __future__ import annotations

import pytest

from clusterf.model.errors import ClusterfError
from tests.unit.plugins.clusterf_etcd.commands.given import NOWHERE, given, run


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("/other/x",), 1),
        (("web", "b1"), 2),
        (("web",), 69),
        ((), 69),
    ],
)
def test_how_it_ends_without_an_etcd(words: tuple[str, ...], code: int) -> None:
    with pytest.raises(ClusterfError) as ended:
        run("get", *words, *NOWHERE)
    assert ended.value.exit_code == code


def test_what_may_be_asked_for() -> None:
    arguments = given("get", "route", "r1", "--raw", *NOWHERE).arguments
    assert (arguments.what, arguments.raw, arguments.output_format) == (
        ["route", "r1"],
        True,
        "text",
    )
    for words in (("--format", "xml"), ("--raw", "--format", "json")):
        with pytest.raises(SystemExit):
            given("get", *words)
