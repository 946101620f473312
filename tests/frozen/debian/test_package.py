"""What is in the package."""

from __future__ import annotations

import hashlib
import os
import re
import subprocess
import tomllib
from pathlib import Path

import pytest

from clusterf import __version__
from tests.frozen import bare
from tests.frozen.debian import package as packages
from tests.frozen.debian.package import Machine
from tests.frozen.executables import DIST, ROOT

pytestmark = pytest.mark.timeout(300)  # the first one may have to make the root and the package


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_it_is_about_this_version(package: Path) -> None:
    version = packages.field(package, "Version")
    architecture = packages.field(package, "Architecture")
    assert re.fullmatch(rf"{re.escape(__version__)}-[1-9]\d*", version)
    assert package.name == f"clusterf_{version}_{architecture}.deb"
    assert packages.field(package, "Section") == "net"
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    assert project["version"] == __version__
    assert packages.field(package, "Description").lower().startswith(project["description"].lower())


def test_it_depends_on_what_its_programs_are_linked_against_and_no_more(package: Path) -> None:
    depends = packages.field(package, "Depends").split(", ")
    assert {re.split(r"[ (]", one)[0] for one in depends} <= {
        *("libc6", "zlib1g", "libcrypt1"),
        "adduser",  # | systemd
    }
    (libc,) = (one for one in depends if one.startswith("libc6 "))
    needed = max(
        tuple(map(int, version.split(b".")))
        for path in (DIST / "clusterf-folder").rglob("*")
        if path.is_file()
        for version in re.findall(rb"GLIBC_(2\.\d+)\b", path.read_bytes())
    )
    assert libc == f"libc6 (>= {needed[0]}.{needed[1]})"


def test_the_same_inputs_give_the_same_bytes(package: Path) -> None:
    before = digest(package)
    umask = os.umask(0o077)
    try:
        again = packages.build(LC_ALL="tr_TR.UTF-8", TZ="Asia/Kathmandu", SOURCE_DATE_EPOCH="1")
    finally:
        os.umask(umask)
    assert again == package
    assert digest(again) == before


def test_an_entry_for_another_version_is_refused(tmp_path: Path) -> None:
    tree = tmp_path / "project"
    (tree / "packaging" / "debian").mkdir(parents=True)
    for name in ("build", "changelog"):
        copy = tree / "packaging" / "debian" / name
        copy.write_bytes((packages.BUILD.parent / name).read_bytes())
        copy.chmod(0o755)
    (tree / "pyproject.toml").write_text('version = "7.0.0"\n')
    done = subprocess.run(
        [tree / "packaging/debian/build"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert "pyproject.toml about 7.0.0" in done.stderr


def test_owners_and_modes(installed: Machine) -> None:
    found = installed.listing("/usr/lib/clusterf", "/etc/clusterf", "/usr/share/doc/clusterf")
    assert {told.partition(" ")[2] for told in found.values()} == {"root root"}
    assert {told.split()[0] for told in found.values()} == {
        "drwxr-xr-x",
        "-rw-r--r--",
        "-rwxr-xr-x",
    }
    executable = [path for path, told in found.items() if told.startswith("-rwx")]
    assert executable == ["/usr/lib/clusterf/clusterf"]
    link = installed.good("readlink", "--canonicalize", "/usr/bin/clusterf").strip()
    assert link == "/usr/lib/clusterf/clusterf"


def test_everything_is_where_it_is_looked_for(installed: Machine) -> None:
    changed = set(installed.changed())
    paths = ("sysusers.d", "modules-load.d", "modprobe.d")
    assert {f"usr/lib/{path}/clusterf.conf" for path in paths} <= changed
    assert "usr/lib/sysctl.d/50-clusterf.conf" in changed
    pages = ("man8/clusterf.8", "man5/clusterf.toml.5", "man7/clusterf-plugins.7")
    assert {f"usr/share/man/{page}.gz" for page in pages} <= changed
    scripts = (
        *("bash-completion/completions/clusterf", "zsh/vendor-completions/_clusterf"),
        "fish/vendor_completions.d/clusterf.fish",
    )
    assert {f"usr/share/{script}" for script in scripts} <= changed
    assert {path for path in changed if path.endswith("/clusterf.service")} == {
        "usr/lib/systemd/system/clusterf.service",
        "etc/systemd/system/multi-user.target.wants/clusterf.service",
        "var/lib/systemd/deb-systemd-helper-enabled/multi-user.target.wants/clusterf.service",
    }
    doc = "usr/share/doc/clusterf"
    names = ("copyright", "changelog.gz", "changelog.Debian.gz", "clusterf.cdx.json", "README.md")
    assert {f"{doc}/{name}" for name in names} <= changed
    unit = installed.read("/usr/lib/systemd/system/clusterf.service")
    started = re.findall(r"^Exec\w+=\W*(/\S+)", unit, re.MULTILINE)
    assert started
    for program in started:
        installed.good("test", "-x", program)


def test_whatever_is_inside_has_its_terms_inside(installed: Machine) -> None:
    doc = "/usr/share/doc/clusterf"
    found = installed.listing(f"{doc}/licences", "/usr/lib/clusterf/_internal")
    listed = re.findall(r'"pkg:deb/debian/([^@]+)@', installed.read(f"{doc}/clusterf.cdx.json"))
    assert listed
    assert {f"{doc}/licences/{name}" for name in ("Python", *listed)} <= set(found)
    assert "Permission is hereby granted" in installed.read(f"{doc}/copyright")


def test_links_between_its_pages_lead_somewhere(installed: Machine) -> None:
    doc = Path("/usr/share/doc/clusterf")
    found = set(installed.listing(str(doc)))
    for page in ("README.md", "docs/plugins.md", "docs/configuration.md"):
        for target in re.findall(r"\]\(([\w./-]+\.md)\)", installed.read(f"{doc}/{page}")):
            if "adr" in target or "packaging" in target:
                continue  # for those who have the sources
            path = os.path.normpath(doc / Path(page).parent / target)
            assert path in found, f"{page}: {target}"


def test_the_user_is_as_for_systemd(installed: Machine) -> None:
    """adduser has made it here; where there is systemd-sysusers, that does."""
    kind, name, _, comment, home, *_ = re.findall(
        r'"[^"]*"|\S+', (ROOT / "packaging/systemd/sysusers.conf").read_text("utf-8") + " - -"
    )[:6]
    assert (kind, name) == ("u", "clusterf")
    told = installed.good("getent", "passwd", name).strip().split(":")
    assert [told[4].strip(","), told[5], told[6]] == [comment.strip('"'), home, "/usr/sbin/nologin"]
    assert int(told[2]) < 1000
    group = installed.good("getent", "group", name).split(":")
    assert group[2] == told[3]
    assert int(told[2]) != bare.NOBODY
