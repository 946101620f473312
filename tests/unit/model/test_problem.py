from __future__ import annotations

import re

from clusterf.model.problem import Code, Problem, Severity, has_errors

WARNING = Problem(file="clusterf.toml", message="unused", severity=Severity.WARNING)
ERROR = Problem(file="clusterf.toml", line=3, column=7, path="outputs.k", message="unknown key")


def test_a_problem_names_its_place() -> None:
    assert ERROR.place == "clusterf.toml:3:7"
    assert str(ERROR) == "clusterf.toml:3:7: error: outputs.k: unknown key"


def test_a_problem_of_a_whole_file_has_no_line() -> None:
    assert WARNING.place == "clusterf.toml"
    assert str(WARNING) == "clusterf.toml: warning: unused"


def test_the_text_of_the_line_does_not_tell_problems_apart() -> None:
    one = Problem(file="f", message="m", source="a = 1")
    assert one == Problem(file="f", message="m", source="b = 2")
    assert one != Problem(file="f", message="n", source="a = 1")


def test_only_errors_make_a_configuration_unusable() -> None:
    assert not has_errors([])
    assert not has_errors([WARNING])
    assert has_errors([WARNING, ERROR])
    assert has_errors([WARNING], strict=True)
    assert not has_errors([], strict=True)


def test_codes_are_unique_and_of_one_form() -> None:
    assert len({code.value for code in Code}) == len(Code.__members__)
    assert all(re.fullmatch(r"C[0-4]\d\d", code) for code in Code)
