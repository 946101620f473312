from __future__ import annotations

import json
import tomllib

import pytest

from clusterf.config.load import load_configuration
from clusterf.plugin.loader import load_plugins
from tests.unit.control.scene import KERNEL, WEB, Scene

FILES = '[sources.files]\ntype = "static"\npath = "services.d"\n'
GONE = '[sources.gone]\ntype = "static"\npath = "gone"\n'
ETCD = '[sources.cluster]\ntype = "etcd"\nuser = "a"\npassword_file = "password"\n'


def test_the_files_that_are_read(scene: Scene, capsys: pytest.CaptureFixture[str]) -> None:
    folder = scene.folder / "services.d"
    folder.mkdir()
    (folder / "a.toml").write_text("[services.a]\n")
    (folder / "b.toml").write_text("nonsense\n")
    odd = scene.drop_in("odd.py", "CLUSTERF_API = '9.0'\n")
    scene.write(WEB, KERNEL, FILES, GONE, ETCD)
    assert scene.cli("config", "--format", "json") == 0
    rows = json.loads(capsys.readouterr().out)
    assert [(row["path"], row["exists"]) for row in rows] == [
        (str(scene.file), True),
        (str(scene.folder / "plugins" / "parts.py"), True),
        (str(odd), True),
        (str(folder / "a.toml"), True),
        (str(folder / "b.toml"), True),
        (str(scene.folder / "gone"), False),
        (str(scene.folder / "password"), False),
    ]
    assert scene.cli("config") == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split("  ")[0].rstrip() for line in lines] == [row["path"] for row in rows]
    assert lines[0].endswith("  the configuration")
    assert lines[1].endswith("  plugin parts")
    assert "  plugin, not loaded: " in lines[2]
    assert lines[3].endswith("  sources.files")
    assert '  not read: a key and its value are written with "="' in lines[4]
    assert lines[5].endswith("  sources.gone.path  (is not there)")
    assert lines[6].endswith("  sources.cluster.password_file  (is not there)")


def test_effective(scene: Scene, capsys: pytest.CaptureFixture[str]) -> None:
    registry = load_plugins([scene.folder / "plugins"])
    before = load_configuration(scene.file, registry)[0]
    assert scene.cli("config", "--effective") == 0
    text = capsys.readouterr().out
    assert text.startswith(f"# {scene.file}, with every default of clusterf ")
    assert 'startup_error = "fail"\n' in text
    scene.file.write_text(text)
    assert load_configuration(scene.file, registry)[0] == before
    assert scene.cli("config", "--effective", "--format", "json") == 0
    assert json.loads(capsys.readouterr().out) == tomllib.loads(text)


@pytest.mark.parametrize("words", [["--effective"], []])
def test_what_cannot_be_read_is_told(
    words: list[str], scene: Scene, capsys: pytest.CaptureFixture[str]
) -> None:
    scene.file.write_text("nonsense\n")
    assert scene.cli("config", *words) == 78
    shown = capsys.readouterr()
    assert shown.out == ""
    assert ":1:9: error[C003]: " in shown.err


def test_a_fault_keeps_only_the_whole_from_being_printed(
    scene: Scene, capsys: pytest.CaptureFixture[str]
) -> None:
    scene.write(WEB, KERNEL + "drian = 5\n")
    assert scene.cli("config", "--effective") == 78
    assert "error[C101]: outputs.kernel.drian: unknown key" in capsys.readouterr().err
    assert scene.cli("config") == 0
    assert capsys.readouterr().out.startswith(str(scene.file))
