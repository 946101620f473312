from __future__ import annotations

from clusterf.model.problem import Severity
from clusterf_import.places import Findings, Place

HERE = Place("conf/a.conf", 3, 5, 2, "    it is")


def test_a_place_is_told_without_its_folder() -> None:
    assert str(HERE) == "a.conf:3"


def test_a_problem_has_its_place_and_is_told_once() -> None:
    findings = Findings()
    for _ in range(2):
        findings.error(HERE, "is wrong", "mend it", subject="it")
    [problem] = findings
    assert str(problem) == "conf/a.conf:3:5: error: it: is wrong"
    assert (problem.length, problem.source, problem.hint) == (2, "    it is", "mend it")


def test_files_come_one_after_the_other_and_their_lines_in_order() -> None:
    findings = Findings()
    for file, line in (("a", 9), ("b", 1), ("a", 2)):
        findings.warning(HERE._replace(file=file, line=line), "is so")
    assert [(one.file, one.line) for one in findings] == [("a", 2), ("a", 9), ("b", 1)]


def test_only_errors_are_counted_as_such() -> None:
    findings = Findings()
    findings.warning(HERE, "is so")
    findings.error(HERE, "is wrong")
    assert (len(findings), findings.errors) == (2, 1)
    assert {one.severity for one in findings} == {Severity.ERROR, Severity.WARNING}
