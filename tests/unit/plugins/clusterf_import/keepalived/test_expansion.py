from __future__ import annotations

from collections.abc import Iterator

from clusterf_import.files import Unreadable
from clusterf_import.keepalived.expansion import LINES_MAX, Expansion
from clusterf_import.keepalived.lines import Source
from clusterf_import.places import Findings

FILES = {
    "web.conf": "web",
    "outer.conf": "before\ninclude inner.conf\nafter",
    "inner.conf": "inner",
    "self.conf": "x\ninclude self.conf",
    "twice.conf": "include twice.conf\ninclude twice.conf",
}


def find(pattern: str, folder: str) -> Iterator[Source]:
    if pattern == "*.conf":
        yield Source("web.conf", "", FILES["web.conf"])
        yield Source("inner.conf", "", FILES["inner.conf"])
    elif pattern not in FILES:
        raise Unreadable(f"no {pattern}")
    else:
        yield Source(pattern, folder, FILES[pattern])


def expanded(text: str, identity: str = "main") -> tuple[list[str], list[str]]:
    """Lines and messages."""
    findings = Findings()
    expansion = Expansion(identity, find, findings)
    found = [line.text for line in expansion.read(Source("k.conf", "/etc", text))]
    return found, [problem.message for problem in findings]


def test_conditions() -> None:
    text = "@main a\n@other b\n@^main c\n@^other d\n@main\n@other e"
    assert expanded(text) == (
        ["a", "d"],
        [
            "lines for other are left out: this is main",
            "lines for all but main are left out: this is main",
        ],
    )


def test_definitions_hold_from_where_they_stand() -> None:
    assert expanded("${A}\n$A=1\n$A\n$A=2\n$A\n@main $A=3\n$A")[0] == ["${A}", "1", "2", "3"]


def test_a_condition_may_be_put_in() -> None:
    assert expanded("$A=@other\n$A x\n$B=@main\n$B y")[0] == ["y"]


def test_definitions_of_several_lines() -> None:
    text = "$RS=\\\n  r ${N} \\ # comment\n  { \\\n  }\n$N=1\n$RS\n$N=2\n$RS\nend"
    assert expanded(text)[0] == ["r 1", "{", "}", "r 2", "{", "}", "end"]


def test_an_empty_line_ends_a_definition() -> None:
    assert expanded("$A=\\\n a \\\n\n b\n$A")[0] == ["b", "a"]


def test_definitions_within_definitions() -> None:
    text = "$IN=\\\n i${N} \\\n j\n$OUT=\\\n $N=1 \\\n $IN \\\n $N=2 \\\n $IN\n$OUT"
    assert expanded(text)[0] == ["i1", "j", "i2", "j"]


def test_sequences_and_lists_within_each_other() -> None:
    text = "$M=2\n~SEQ(A, $M) ~LST(B, x, y) ${A}${B}"
    assert expanded(text)[0] == ["1x", "1y", "2x", "2y"]
    assert expanded("$L=~SEQ(A, 2) ${A}\n$L")[0] == ["1", "2"]


def test_a_malformed_sequence_takes_its_line_with_it() -> None:
    assert expanded("~SEQ(A) a\nb") == (
        ["b"],
        ["a sequence has an end, a start and an end, or a step between them; the line is left out"],
    )


def test_includes() -> None:
    assert expanded("a\ninclude outer.conf\nb")[0] == ["a", "before", "inner", "after", "b"]
    assert expanded('includer "web.conf"')[0] == ["web"]
    assert expanded("include *.conf")[0] == ["web", "inner"]
    assert expanded("include none.conf\na") == (["a"], ["no none.conf"])
    assert expanded("included web.conf")[0] == ["included web.conf"]


def test_only_a_file_that_was_named_must_be_there() -> None:
    for pattern, errors in (("none.conf", 1), ("none*.conf", 0)):
        findings = Findings()
        list(Expansion("main", find, findings).read(Source("k", "", f"include {pattern}")))
        assert (len(findings), findings.errors) == (1, errors)


def test_what_is_defined_already() -> None:
    text = "${_PWD} ${_INSTANCE} ${_RANDOM 1 3} ${_HASH} ${_BANG}"
    assert expanded(text)[0] == ["/etc main 0 # !"]


def test_what_contains_itself_ends_with_one_message() -> None:
    for text in (
        "include self.conf",
        "include twice.conf",
        "$A=\\\n $A \\\n $A\n$A",
        "$A=$A\n$A",
        "$A=x$A y\n$A",
    ):
        _, messages = expanded(text)
        assert len(messages) == 1, text


def test_more_lines_than_anybody_means_are_refused() -> None:
    found, messages = expanded("~SEQ(A, 1000) ~SEQ(B, 1000) x")
    assert len(found) <= LINES_MAX
    assert messages == [f"all in all there are more than {LINES_MAX} lines"]
