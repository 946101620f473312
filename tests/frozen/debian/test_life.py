"""A package's life on a machine without Python and systemd: installed, upgraded, removed."""

from __future__ import annotations

from pathlib import Path

import pytest

from clusterf import __version__
from tests.frozen.debian import package as packages
from tests.frozen.debian.package import Machine

pytestmark = pytest.mark.timeout(300)  # the first one may have to make the root and the package

CONFIGURATION = "/etc/clusterf/clusterf.toml"
STAYS = "clusterf: what it has set in the kernel stays and goes on working"

DPKG_KEEPS = {"var/lib/dpkg/status-old", "var/log/dpkg.log"}
USER_STAYS = {
    *(f"etc/{name}{backup}" for name in ("passwd", "shadow", "group", "gshadow") for backup in "-"),
    *(f"etc/{name}" for name in ("passwd", "shadow", "group", "gshadow")),
    "run/adduser",
}

EDITED = """\
[clusterf]
managed = ["192.0.2.0/24"]

[sources.files]
type = "static"
path = "services.d"
"""


@pytest.fixture
def edited(installed: Machine) -> Machine:
    installed.write(CONFIGURATION, EDITED)
    installed.write("/etc/clusterf/plugins.d/mine.py", "")
    return installed


def version(machine: Machine) -> str:
    return machine.good("dpkg-query", "--show", "--showformat=${Version}", "clusterf")


def test_as_installed_it_works_and_does_nothing(installed: Machine) -> None:
    user = int(installed.good("id", "-u", "clusterf"))
    assert installed.good("clusterf", "--version", user=user) == f"clusterf {__version__}\n"
    assert "0 errors" in installed.good("clusterf", "check", user=user)
    assert "clusterf_ipvs" in installed.good("clusterf", "plugins", user=user)
    installed.good("clusterf", "run", "--once", user=user)
    plan = installed.run("clusterf", "plan", user=user)
    assert plan.returncode == 0, plan.stderr
    assert "+" not in plan.stdout


def test_nothing_is_left_behind(installed: Machine) -> None:
    installed.good("clusterf", "run", "--once")
    assert STAYS in installed.good("dpkg", "--purge", "clusterf")
    assert set(installed.changed()) <= DPKG_KEEPS | USER_STAYS
    assert "clusterf" not in installed.run("dpkg-query", "--list").stdout
    assert installed.read("/etc/passwd").count("clusterf:x:") == 1


def test_an_upgrade_keeps_the_configuration_and_does_not_ask(
    edited: Machine, next_package: Path, package: Path
) -> None:
    user = edited.good("id", "clusterf")
    said = edited.install(next_package)
    assert "onfiguration file" not in said
    assert STAYS not in said
    assert version(edited) == "99.0-1"
    assert edited.read(CONFIGURATION) == EDITED
    edited.good("clusterf", "check")

    said = edited.good("dpkg", "--install", f"/mnt/{package.name}")
    assert "downgrading" in said
    assert version(edited) == packages.field(package, "Version")
    assert edited.read(CONFIGURATION) == EDITED
    assert edited.good("id", "clusterf") == user
    edited.good("clusterf", "check")


def test_an_untouched_configuration_follows_the_package(
    installed: Machine, package: Path, tmp_path: Path
) -> None:
    shipped = installed.read(CONFIGURATION)
    other = packages.repacked(package, "98.0-1", tmp_path, conffile=shipped + "# new\n")
    installed.install(other)
    assert installed.read(CONFIGURATION) == shipped + "# new\n"


def test_removal_keeps_what_is_the_operators(edited: Machine, package: Path) -> None:
    edited.write("/etc/clusterf/services.d/web.toml", "")
    edited.good("mkdir", "/var/lib/clusterf")
    edited.write("/var/lib/clusterf/orders", "")
    said = edited.good("dpkg", "--remove", "clusterf")
    assert said.count(STAYS) == 1
    assert edited.run("clusterf", "--version").returncode == 127
    assert edited.read(CONFIGURATION) == EDITED
    for path in ("/etc/clusterf/services.d/web.toml", "/var/lib/clusterf/orders"):
        edited.good("test", "-e", path)

    edited.good("dpkg", "--install", f"/mnt/{package.name}")
    assert edited.read(CONFIGURATION) == EDITED
    edited.good("clusterf", "check")

    edited.good("dpkg", "--purge", "clusterf")
    assert edited.run("test", "-e", CONFIGURATION).returncode == 1
    assert edited.run("test", "-e", "/var/lib/clusterf").returncode == 1
    left = set(edited.changed()) - DPKG_KEEPS - USER_STAYS
    assert {path for path in left if not path.endswith("/")} == {
        "etc/clusterf/plugins.d/mine.py",
        "etc/clusterf/services.d/web.toml",
    }
