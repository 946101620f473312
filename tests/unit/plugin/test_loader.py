from __future__ import annotations

import sys
from pathlib import Path

import pytest

from clusterf import __version__
from clusterf.plugin.loader import BUNDLED, load_plugins
from tests.unit.plugin.texts import drop_in, good, load, only_failure

# --- bundled ------------------------------------------------------------------------------------


def test_every_bundled_plugin_loads_and_brings_its_types() -> None:
    registry = load_plugins()
    assert registry.failures == []
    assert [plugin.name for plugin in registry.plugins] == list(BUNDLED)
    assert {plugin.origin for plugin in registry.plugins} == {"bundled"}
    assert {plugin.version for plugin in registry.plugins} == {__version__}
    assert {"static", "docker"} <= set(registry.sources)
    assert set(registry.policies) == {"routes", "local"}
    assert set(registry.outputs) == {"etcd", "ipvs", "addresses"}
    assert registry.provided_by["source static"] == "bundled"


def test_a_bundled_plugin_that_fails_is_named_and_the_others_load() -> None:
    registry = load(bundled=["clusterf_nowhere", "clusterf_routes"])
    [failure] = registry.failures
    assert failure.origin == "bundled clusterf_nowhere"
    assert failure.message == 'no module named "clusterf_nowhere"'
    assert [plugin.name for plugin in registry.plugins] == ["clusterf_routes"]


# --- left out -----------------------------------------------------------------------------------


def test_plugins_may_be_left_out(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    extra = drop_in(folder, "extra.py", "raise SystemExit('it ran')")
    monkeypatch.setenv("CLUSTERF_DISABLE_PLUGINS", "clusterf_docker, extra,")
    registry = load_plugins([folder], disabled=["clusterf_static"])
    names = {plugin.name for plugin in registry.plugins}
    assert names == set(BUNDLED) - {"clusterf_docker", "clusterf_static"}
    assert (registry.failures, registry.unmatched) == ([], [])
    assert [(one.name, one.origin, one.by) for one in registry.disabled] == [
        ("clusterf_static", "bundled", "disable_plugins"),
        ("clusterf_docker", "bundled", "CLUSTERF_DISABLE_PLUGINS"),
        ("extra", str(extra), "CLUSTERF_DISABLE_PLUGINS"),
    ]


def test_a_bundled_plugin_may_be_left_out_by_the_name_of_its_type(folder: Path) -> None:
    drop_in(folder, "etcd.py", "raise SystemExit('it ran')")
    registry = load_plugins([folder], disabled=["docker", "etcd", "ipsv"])
    assert [(one.name, one.said) for one in registry.disabled] == [
        ("clusterf_docker", "docker"),
        # The drop-in's own name, so it is meant.
        ("etcd", "etcd"),
    ]
    assert "etcd" in registry.sources
    assert [(one.name, one.hint) for one in registry.unmatched] == [
        ("ipsv", 'did you mean "ipvs"?')
    ]


def test_a_name_that_no_plugin_has_is_told_with_what_was_meant(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("CLUSTERF_DISABLE_PLUGINS", "clusterf_etdc")
    registry = load_plugins([], disabled=["nothing"])
    assert [(one.name, one.by) for one in registry.unmatched] == [
        ("clusterf_etdc", "CLUSTERF_DISABLE_PLUGINS"),
        ("nothing", "disable_plugins"),
    ]
    assert registry.unmatched[0].hint == 'did you mean "clusterf_etcd"?'


def test_without_drop_ins_nothing_is_said_of_names_that_may_be_theirs() -> None:
    assert load_plugins(None, disabled=["nothing"]).unmatched == []


# --- directories --------------------------------------------------------------------------------


def test_a_folder_that_is_not_there_is_told_and_the_next_one_is_read(folder: Path) -> None:
    drop_in(folder, "one.py", good())
    registry = load(folder / "nowhere", folder)
    [failure] = registry.failures
    assert (failure.origin, failure.message, failure.hint) == (
        str(folder / "nowhere"),
        "plugin directory: no such file or directory",
        "see plugin_dirs",
    )
    assert [plugin.name for plugin in registry.plugins] == ["one"]


def test_a_file_is_no_folder(folder: Path) -> None:
    path = drop_in(folder, "one.py", good())
    assert only_failure(load(path)).message == "plugin directory: not a directory"


def test_of_a_folder_that_others_can_write_nothing_is_loaded(folder: Path) -> None:
    drop_in(folder, "one.py", "raise SystemExit('it ran')")
    drop_in(folder, "two.py", "raise SystemExit('it ran')")
    folder.chmod(0o777)
    failure = only_failure(load(folder))
    assert failure.origin == str(folder)
    assert failure.message == "plugin directory: can be written by others"
    assert failure.hint == f"chmod go-w {folder}"


def test_a_folder_that_is_named_twice_is_read_once(folder: Path, tmp_path: Path) -> None:
    drop_in(folder, "one.py", good())
    (tmp_path / "link").symlink_to(folder)
    registry = load(folder, tmp_path / "link", folder)
    assert registry.failures == []
    assert [plugin.origin for plugin in registry.plugins] == [str(folder / "one.py")]


# --- names --------------------------------------------------------------------------------------


def test_of_two_drop_ins_of_one_name_the_first_is_kept(folder: Path, tmp_path: Path) -> None:
    other = tmp_path / "other" / "plugins"
    other.parent.mkdir(mode=0o755)
    first = drop_in(folder, "x.py", good("one"))
    drop_in(other, "x.py", good("two"))
    registry = load(folder, other)
    [failure] = registry.failures
    assert failure.message == f"a plugin named x is already loaded: {first}"
    assert set(registry.policies) == {"one"}
    assert len(registry.manager.get_plugins()) == 1


@pytest.mark.parametrize("disabled", [(), ("clusterf_docker",)])
def test_no_drop_in_takes_the_name_of_a_bundled_plugin(
    folder: Path, disabled: tuple[str, ...]
) -> None:
    """Not while that one is disabled either: both would be."""
    drop_in(folder, "clusterf_routes.py", "raise SystemExit('it ran')")
    drop_in(folder, "clusterf.py", "raise SystemExit('it ran')")
    registry = load(folder, disabled=disabled)
    assert [failure.message for failure in registry.failures] == [
        "clusterf is the name of clusterf itself",
        "clusterf_routes is the name of a bundled plugin",
    ]


def test_a_drop_in_named_like_a_standard_module_shadows_nothing(folder: Path) -> None:
    drop_in(folder, "json.py", "import json\nassert json.dumps([1]) == '[1]'\n" + good("one"))
    drop_in(folder, "late.py", "import json\nassert json.dumps([1]) == '[1]'\n" + good("two"))
    registry = load(folder)
    assert registry.failures == []
    assert [plugin.name for plugin in registry.plugins] == ["json", "late"]
    assert sys.modules["json"].__file__ != str(folder / "json.py")
    assert str(folder) not in sys.path


# --- what is known of a plugin --------------------------------------------------------------------


def test_a_drop_in_may_state_its_version(folder: Path) -> None:
    drop_in(folder, "a.py", "__version__ = '2.5'\n" + good("a"))
    drop_in(folder, "b.py", "__version__ = 2.5\n" + good("b"))
    drop_in(folder, "c.py", good("c"))
    registry = load(folder)
    assert [plugin.version for plugin in registry.plugins] == ["2.5", "", ""]


def test_what_a_plugin_brings_and_implements_is_known(folder: Path) -> None:
    drop_in(folder, "a.py", good("x") + "@hookimpl\ndef clusterf_check(document):\n    return []\n")
    [plugin] = load(folder).plugins
    assert plugin.brings == {"policy": ("x",)}
    assert plugin.hooks == ["clusterf_check", "clusterf_register_policies"]


# --- failures are their own ----------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "import nowhere_at_all\n",
        "1 / 0\n",
        "raise SystemExit(1)\n",
        "import sys; sys.exit()\n",
        "class Odd(BaseException):\n    pass\nraise Odd\n",
        "raise GeneratorExit\n",
        "def f(:\n",
        "\0",
        "x = '" + "(" * 3000 + "'\n" + "(" * 3000,
        good().replace("return [", "raise OSError('x')\n    return ["),
    ],
)
def test_a_drop_in_that_fails_is_named_and_the_others_load(folder: Path, text: str) -> None:
    bad = drop_in(folder, "bad.py", "CLUSTERF_API = '1.0'\n" + text)
    drop_in(folder, "good.py", good())
    registry = load(folder)
    [failure] = registry.failures
    assert failure.origin == str(bad)
    assert failure.message
    assert "Traceback" not in failure.message
    assert [plugin.name for plugin in registry.plugins] == ["good"]


def test_a_drop_in_that_is_cut_short_anywhere_is_told_or_works(folder: Path) -> None:
    text = good()
    path = drop_in(folder, "x.py", text)
    for end in range(len(text)):
        path.write_text(text[:end])
        registry = load(folder)
        assert len(registry.plugins) + len(registry.failures) == 1
        for failure in registry.failures:
            assert failure.message
            assert "\n" not in failure.message


def test_who_interrupts_is_obeyed(folder: Path) -> None:
    drop_in(folder, "x.py", "CLUSTERF_API = '1.0'\nraise KeyboardInterrupt\n")
    with pytest.raises(KeyboardInterrupt):
        load(folder)


def test_what_a_drop_in_prints_is_no_answer_of_a_command(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    drop_in(folder, "x.py", "print('hello')\n" + good())
    load(folder)
    assert capsys.readouterr() == ("", "hello\n")
