from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from clusterf.model.errors import PluginLoadError
from clusterf.plugin.dropins.trust import refuse_untrusted_parts, trusted
from tests.unit.plugin.texts import drop_in, good, load, only_failure

only_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")

STRANGER = 12345


def refused(path: Path, judge: Callable[[Path], object] = trusted) -> tuple[str, str]:
    with pytest.raises(PluginLoadError) as told:
        judge(path)
    return str(told.value.args[0]), told.value.hint


def test_what_only_its_owner_can_write_is_trusted(folder: Path) -> None:
    path = drop_in(folder, "x.py", "")
    assert trusted(path) == path
    assert trusted(folder) == folder


def test_the_sticky_bit_of_tmp_is_enough_for_a_directory_on_the_way(folder: Path) -> None:
    path = drop_in(folder, "x.py", "")
    folder.chmod(0o1777)
    assert trusted(path) == path


@pytest.mark.parametrize("mode", [0o664, 0o646, 0o666, 0o1666])
def test_a_file_that_others_can_write_is_refused(folder: Path, mode: int) -> None:
    path = drop_in(folder, "x.py", "raise SystemExit('it ran')", mode=mode)
    assert refused(path) == ("can be written by others", f"chmod go-w {path}")
    assert only_failure(load(folder)).message == "can be written by others"


@only_root
def test_a_file_of_another_user_is_refused(folder: Path) -> None:
    path = drop_in(folder, "x.py", "raise SystemExit('it ran')")
    os.chown(path, STRANGER, -1)
    assert refused(path) == (
        f"is owned by user {STRANGER}",
        f"its owner must be root: chown root {path}",
    )


# --- the way to it --------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", [0o775, 0o757, 0o777])
def test_every_directory_above_counts(tmp_path: Path, mode: int) -> None:
    above = tmp_path / "a"
    (above / "b").mkdir(parents=True, mode=0o755)
    path = drop_in(above / "b", "x.py", "")
    above.chmod(mode)
    assert refused(path) == (
        f"lies in {above}, which can be written by others",
        f"chmod go-w {above}",
    )


@only_root
def test_every_owner_above_counts(tmp_path: Path) -> None:
    above = tmp_path / "a"
    above.mkdir(mode=0o755)
    path = drop_in(above, "x.py", "")
    os.chown(above, STRANGER, -1)
    assert refused(path)[0] == f"lies in {above}, which is owned by user {STRANGER}"


def test_the_way_back_is_gone_as_the_kernel_goes_it(folder: Path) -> None:
    path = drop_in(folder, "x.py", "")
    assert trusted(folder / ".." / "plugins" / "x.py") == path


# --- links ----------------------------------------------------------------------------------------


def test_a_link_to_what_is_trusted_is_trusted(folder: Path, tmp_path: Path) -> None:
    """As Kubernetes mounts files: a link through a link."""
    drop_in(tmp_path / "real", "x.py", good())
    (folder / "..data").symlink_to("../real")
    (folder / "x.py").symlink_to("..data/x.py")
    assert trusted(folder / "x.py") == tmp_path / "real" / "x.py"
    registry = load(folder)
    assert registry.failures == []
    assert [plugin.origin for plugin in registry.plugins] == [str(folder / "x.py")]


def test_what_a_link_leads_to_counts(folder: Path, tmp_path: Path) -> None:
    real = drop_in(tmp_path / "real", "y.py", good(), mode=0o666)
    (folder / "x.py").symlink_to(real)
    assert refused(folder / "x.py")[0] == f"leads to {real}, which can be written by others"


def test_what_a_link_leads_through_counts(folder: Path, tmp_path: Path) -> None:
    open_to_all = tmp_path / "open"
    (open_to_all / "in").mkdir(parents=True, mode=0o755)
    drop_in(open_to_all / "in", "y.py", good())
    (folder / "x.py").symlink_to(open_to_all / "in" / "y.py")
    open_to_all.chmod(0o777)
    assert refused(folder / "x.py")[0] == f"lies in {open_to_all}, which can be written by others"


@only_root
def test_whose_a_link_is_counts(folder: Path, tmp_path: Path) -> None:
    real = drop_in(tmp_path / "real", "y.py", good())
    link = folder / "x.py"
    link.symlink_to(real)
    os.chown(link, STRANGER, -1, follow_symlinks=False)
    assert refused(link)[0] == f"is owned by user {STRANGER}"


def test_a_link_that_leads_nowhere(folder: Path, tmp_path: Path) -> None:
    (folder / "x.py").symlink_to(tmp_path / "gone.py")
    message = f"leads to {tmp_path / 'gone.py'}: no such file or directory"
    assert refused(folder / "x.py")[0] == message
    assert only_failure(load(folder)).message == message


def test_links_in_circles(folder: Path) -> None:
    (folder / "x.py").symlink_to("y.py")
    (folder / "y.py").symlink_to("x.py")
    assert refused(folder / "x.py")[0] == "is a link that leads in circles"


# --- packages -------------------------------------------------------------------------------------


@pytest.fixture
def package(folder: Path) -> Path:
    drop_in(folder, "x/__init__.py", "raise SystemExit('it ran')")
    return folder / "x"


def test_a_package_that_others_can_write_is_refused(package: Path) -> None:
    package.chmod(0o1777)
    assert refused(package, refuse_untrusted_parts)[0] == "can be written by others"


@pytest.mark.parametrize("name", ["inner.py", "words.txt", "__pycache__/x.pyc", ".hidden"])
def test_every_part_of_a_package_counts(package: Path, name: str) -> None:
    part = drop_in(package, name, "", mode=0o666)
    assert refused(package, refuse_untrusted_parts) == (
        f"its part {name} can be written by others",
        f"chmod go-w {part}",
    )
    assert only_failure(load(package.parent)).message == f"its part {name} can be written by others"


def test_every_folder_of_a_package_counts(package: Path) -> None:
    drop_in(package, "inner/__init__.py", "")
    (package / "inner").chmod(0o777)
    assert refused(package, refuse_untrusted_parts)[0] == "its part inner can be written by others"


def test_what_a_link_in_a_package_leads_to_counts(package: Path, tmp_path: Path) -> None:
    real = drop_in(tmp_path / "real", "y.py", "", mode=0o666)
    (package / "y.py").symlink_to(real)
    assert refused(package, refuse_untrusted_parts)[0] == (
        f"its part y.py leads to {real}, which can be written by others"
    )


def test_what_is_in_a_linked_folder_counts(package: Path, tmp_path: Path) -> None:
    drop_in(tmp_path / "real", "y.py", "", mode=0o666)
    (package / "inner").symlink_to(tmp_path / "real")
    assert refused(package, refuse_untrusted_parts)[0] == (
        "its part inner/y.py can be written by others"
    )


def test_a_link_back_into_the_package_ends(package: Path) -> None:
    (package / "again").symlink_to(".")
    refuse_untrusted_parts(package)
