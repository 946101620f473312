from __future__ import annotations

import logging
from pathlib import Path

import pytest

from clusterf.cli.loading import BadConfiguration, read, read_or_raise, registry_for, tell
from clusterf.cli.main import parser
from clusterf.model.problem import Code, Problem, Severity
from tests.unit.control.scene import KERNEL, WEB, Scene


def test_a_good_configuration(scene: Scene) -> None:
    configuration, problems = read(scene.file, bundled_only=False)
    assert configuration is not None
    assert configuration.outputs["outputs.kernel"].type.name == "model"
    assert problems == []


def test_drop_ins_are_found_beside_the_configuration(scene: Scene) -> None:
    assert "told" in registry_for(scene.file, bundled_only=False).sources


def test_a_rescue_leaves_drop_ins_out(scene: Scene) -> None:
    scene.drop_in("bad.py", "raise SystemExit")
    registry = registry_for(scene.file, bundled_only=True)
    assert registry.failures == []
    assert "told" not in registry.sources
    configuration, problems = read(scene.file, bundled_only=True)
    assert configuration is None
    assert [problem.code for problem in problems] == [Code.UNKNOWN_TYPE]


def test_a_drop_in_that_fails_ends_nothing_unless_it_is_asked_for(scene: Scene) -> None:
    bad = scene.drop_in("bad.py", "CLUSTERF_API = '1.0'\nimport nowhere_at_all\n")
    configuration, [problem] = read(scene.file, bundled_only=False)
    assert configuration is not None
    assert (problem.file, problem.code) == (str(bad), Code.PLUGIN_NOT_LOADED)
    scene.write(WEB, KERNEL.replace("model", "bad"))
    configuration, problems = read(scene.file, bundled_only=False)
    assert configuration is None
    assert {problem.code for problem in problems} == {Code.UNKNOWN_TYPE, Code.PLUGIN_NOT_LOADED}


@pytest.mark.parametrize("text", [None, "[clusterf", "", "plugin_dirs = 1", "[clusterf]\n\0"])
def test_what_cannot_be_read_is_a_problem_and_no_exception(
    tmp_path: Path, text: str | None
) -> None:
    path = tmp_path / "clusterf.toml"
    if text is not None:
        path.write_text(text)
    configuration, problems = read(path, bundled_only=False)
    assert configuration is None
    assert problems


def test_all_errors_are_raised_at_once_and_no_warning(scene: Scene) -> None:
    scene.write(WEB.replace('"wrr"', '"wrrr"'), "[sources.x]\ntype = 'nothing'\n")
    with pytest.raises(BadConfiguration) as told:
        read_or_raise(parser().parse_args(["run", "-c", str(scene.file)]))
    text = str(told.value)
    assert told.value.exit_code == 78
    assert "error[C104]: services.web.scheduler: " in text
    assert 'unknown type "nothing"' in text
    assert text.endswith("2 errors, 0 warnings")
    assert "there is no output" not in text


def test_what_is_no_obstacle_comes_with_the_configuration(scene: Scene) -> None:
    scene.write(WEB)
    configuration, problems = read_or_raise(parser().parse_args(["run", "-c", str(scene.file)]))
    assert configuration.sources.keys() == {"services"}
    assert [problem.severity for problem in problems] == [Severity.WARNING]


def test_a_hook_that_nobody_calls_is_no_obstacle(
    scene: Scene, caplog: pytest.LogCaptureFixture
) -> None:
    path = scene.drop_in(
        "odd.py",
        "from clusterf.plugin import hookimpl\nCLUSTERF_API = '1.0'\n"
        "@hookimpl\ndef clusterf_chek(configuration):\n    return []\n",
    )
    configuration, problems = read(scene.file, bundled_only=False)
    assert configuration is not None
    tell(problems)
    [said] = [record.getMessage() for record in caplog.records]
    assert said == (
        f"configuration {path}: warning[C303]: hook clusterf_chek is never called: "
        "there is no such hook"
        ' (hint: did you mean "clusterf_check"?)'
    )


def test_what_is_told_has_its_hint(caplog: pytest.LogCaptureFixture) -> None:
    tell(
        [
            Problem(file="a.toml", line=3, column=1, message="is odd", hint="mend it"),
            Problem(file="b.py", severity=Severity.WARNING, message="is odd, too"),
        ]
    )
    assert [(one.levelno, one.getMessage()) for one in caplog.records] == [
        (logging.WARNING, "configuration a.toml:3:1: error: is odd (hint: mend it)"),
        (logging.WARNING, "configuration b.py: warning: is odd, too"),
    ]
