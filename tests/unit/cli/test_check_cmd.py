from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from clusterf.cli import check_cmd
from clusterf.cli.main import main, parser
from tests.golden.plugins import registry
from tests.unit.control.scene import Scene

GOOD = """[clusterf]
managed = ["192.0.2.0/24"]
[services.web]
frontend = { ipv4 = "192.0.2.1", tcp = 80 }
backends = ["198.51.100.1:80"]
[outputs.kernel]
type = "ipvs"
"""


def check(path: Path, *, output_format: str = "text", strict: bool = False) -> int:
    return check_cmd.run(
        path, offline=True, output_format=output_format, strict=strict, registry=registry()
    )


def test_good(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "a.toml"
    path.write_text(GOOD)
    before = sorted(os.walk(tmp_path))
    assert check(path) == 0
    assert capsys.readouterr().out == "0 errors, 0 warnings\n"
    assert sorted(os.walk(tmp_path)) == before


def test_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "a.toml"
    path.write_text(GOOD + "x = 1\n")
    assert check(path, output_format="json") == 78
    (row,) = json.loads(capsys.readouterr().out)
    assert (row["file"], row["line"], row["path"]) == (str(path), 8, "outputs.kernel.x")


def test_warnings_fail_only_when_strict(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "a.toml"
    path.write_text(GOOD.partition("[outputs")[0])
    assert check(path) == 0
    assert check(path, strict=True) == 78
    assert "0 errors, 1 warning" in capsys.readouterr().out


def test_a_name_that_is_not_utf8(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert check(Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xff.toml"))) == 78
    assert "cannot be read" in capsys.readouterr().out


def test_from_the_command_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """With the real plugins."""
    path = tmp_path / "a.toml"
    path.write_text(GOOD.replace("192.0.2.1", "203.0.113.1"))
    arguments = parser().parse_args(["check", "-c", str(path), "--offline"])
    assert check_cmd.main(arguments) == 78
    assert f"{path}:4:21: error[C204]: services.web.frontend.ipv4: " in capsys.readouterr().out


def test_the_sample_with_the_real_plugins(capsys: pytest.CaptureFixture[str]) -> None:
    sample = Path(__file__).parents[3] / "clusterf.toml"
    arguments = parser().parse_args(["check", "-c", str(sample), "--offline", "--strict"])
    assert check_cmd.main(arguments) == 0, capsys.readouterr().out


def test_a_hook_that_nobody_calls_is_a_warning(
    scene: Scene, capsys: pytest.CaptureFixture[str]
) -> None:
    odd = scene.drop_in(
        "odd.py",
        "from clusterf.plugin import hookimpl\nCLUSTERF_API = '1.0'\n"
        "@hookimpl\ndef clusterf_chek(configuration):\n    return []\n",
    )
    assert scene.cli("check", "--offline") == 0
    assert capsys.readouterr().out == (
        f"{odd}: warning[C303]: hook clusterf_chek is never called: there is no such hook\n"
        '      | did you mean "clusterf_check"?\n'
        "0 errors, 1 warning\n"
        "clusterf check --explain C303 tells more of such a problem\n"
    )
    assert scene.cli("check", "--offline", "--strict", "--format", "json") == 78
    [row] = json.loads(capsys.readouterr().out)
    assert (row["file"], row["severity"], row["code"]) == (str(odd), "warning", "C303")


def test_a_code_is_explained_without_a_configuration(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "--explain", "c104", "-c", "/nowhere"]) == 0
    assert capsys.readouterr().out.startswith("C104 unknown-choice (schema)\n\n")
    assert main(["check", "--explain", "unkown-choice"]) == 2
    assert capsys.readouterr().err == (
        'clusterf: there is no code "unkown-choice" (hint: did you mean "unknown-choice"?)\n'
    )


def test_notes_never_fail(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "a.toml"
    backends = "elide = true\n[outputs"
    path.write_text(
        GOOD.replace("[outputs", backends) + '[[policies]]\ntype = "routes"\n[routes.none]\n'
    )
    assert check(path, strict=True) == 0
    out = capsys.readouterr().out
    assert "0 errors, 0 warnings, 1 note\n" in out
    assert out.endswith("\nclusterf check --explain C217 tells more of such a problem\n")
