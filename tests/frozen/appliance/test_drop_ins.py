"""Drop-ins of each role act on the kernel; those that cannot be loaded are told and harm nobody."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from freeze import trial
from tests.frozen.appliance.daemon import FOLDER, Daemon
from tests.frozen.appliance.machine import TOOLS
from tests.frozen.appliance.network import OTHER, OTHER_VIP, Site
from tests.lab.promises.servers import ask_name

pytestmark = pytest.mark.timeout(300)

PLUGINS = f'plugin_dirs = ["{TOOLS}/trial/good", "{TOOLS}/trial/bad"]'
INSTANCES = f"""
[sources.some]
type = "trial"
vip = "{OTHER_VIP}"

[[policies]]
type = "trial"
factor = 3

[[policies]]
type = "modules"

[outputs.file]
type = "trial"
path = "{FOLDER}/table"
"""
RULES = sorted(
    [
        f"-A -t {OTHER_VIP}:80 -s wlc",
        *(f"-a -t {OTHER_VIP}:80 -r {address}:80 -m -w 30" for address in OTHER.values()),
    ]
)


@pytest.fixture(scope="module", autouse=True)
def _laid_out(site: Site, tmp_path_factory: pytest.TempPathFactory) -> None:
    folder: Path = tmp_path_factory.mktemp("trial")
    trial.prepared(Path("unused"), folder)
    site.appliance.bring(folder, "trial")
    (site.appliance.exchange / "trial").chmod(0o755)


def test_those_of_each_role_work_and_the_others_are_told(site: Site, daemon: Daemon) -> None:
    daemon.configure(core=PLUGINS, rest=INSTANCES)
    daemon.says("")
    listed = daemon.cli("plugins")
    assert listed.returncode == 78
    told = " ".join(listed.stdout.split())
    for wanted in (
        "policy modules 45 modules, SQLite 3.",
        'trial_broken.py:3 no module named "flask" hint: this program has its own Python 3.',
        "trial_future.py was written for plugin API 9.0, this is 1.0",
    ):
        assert wanted in told, listed.stdout

    daemon.start()
    daemon.wait_for_rules(RULES)
    daemon.wait_for_vips(OTHER_VIP)
    answers = Counter(ask_name(site.client, OTHER_VIP) for _ in range(6))
    assert (answers.keys(), answers.total()) == ({"web1", "web2"}, 6)
    assert site.appliance.sh(f"cat {FOLDER}/table").splitlines() == [
        f"tcp {OTHER_VIP}:80 -> {address}:80 weight 30" for address in OTHER.values()
    ]
    for wanted in ("trial_broken.py:3:1: error[C301]", "trial_future.py: error[C301]"):
        assert daemon.log.count(wanted) == 1, daemon.log
    assert "Traceback" not in daemon.log
